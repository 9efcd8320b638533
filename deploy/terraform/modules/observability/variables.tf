variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "service" {
  description = "Name of the server's Cloud Run service: `name` of tape-cloud-run. Its metrics carry it as their namespace."
  type        = string
  default     = "tape"
}

variable "server_member" {
  description = "The server's service account as a member of IAM policies: it reads the sidecar's configuration."
  type        = string
}

variable "metrics_port" {
  description = "Loopback port of the server's /metrics: the same as `metrics.port` of tape-cloud-run."
  type        = number
  default     = 9464
}

variable "scrape_interval_seconds" {
  description = "How often the sidecar reads the metrics. Shorter costs more samples."
  type        = number
  default     = 30

  validation {
    condition     = var.scrape_interval_seconds >= 10 && var.scrape_interval_seconds <= 300
    error_message = "scrape_interval_seconds must be from 10 to 300."
  }
}

variable "notification_channels" {
  description = "Full names of the channels that alerts go to: projects/PROJECT/notificationChannels/ID. Empty: incidents show in the console only."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for channel in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[0-9]+$", channel))])
    error_message = "notification_channels must be full names: projects/PROJECT/notificationChannels/ID."
  }
}

variable "alert_on_absence" {
  description = "Whether no metrics at all are an alert. Set to false where min_instances is 0: then there may be no instance to say anything."
  type        = bool
  default     = true
}

variable "feed_lag_seconds" {
  description = "How far the feed may be behind before it is an alert. A Bigtable journal is one second behind by design."
  type        = number
  default     = 30

  validation {
    condition     = var.feed_lag_seconds >= 5
    error_message = "feed_lag_seconds must be at least 5."
  }
}

variable "error_ratio" {
  description = "Part of all calls that may fail for reasons of the server's side before it is an alert."
  type        = number
  default     = 0.02

  validation {
    condition     = var.error_ratio > 0 && var.error_ratio < 1
    error_message = "error_ratio must be between 0 and 1."
  }
}

variable "slo" {
  description = "Objectives over 28 days: availability (minutes in which the server is ready) and latency (calls answered within latency_seconds). Null: none. Set it once metrics have arrived: Cloud Monitoring refuses objectives on metrics that it has never seen."
  type = object({
    availability    = optional(number, 0.999)
    latency         = optional(number, 0.99)
    latency_seconds = optional(number, 1)
  })
  default = null

  validation {
    condition     = var.slo == null || try(var.slo.availability > 0 && var.slo.availability < 1 && var.slo.latency > 0 && var.slo.latency < 1, false)
    error_message = "slo.availability and slo.latency must be between 0 and 1, such as 0.999."
  }

  validation {
    condition     = var.slo == null || contains([0.1, 0.25, 0.5, 1, 2.5, 5], try(var.slo.latency_seconds, 0))
    error_message = "slo.latency_seconds must be 0.1, 0.25, 0.5, 1, 2.5 or 5: between the bounds of the histogram there is nothing to count."
  }
}

variable "dashboard" {
  description = "Whether to make a dashboard."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of secret and alerts."
  type        = map(string)
  default     = {}
}
