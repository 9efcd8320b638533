variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of everything."
  type        = string
  default     = "europe-west1"
}

variable "tape_version" {
  description = "Tag of the server's image in the repository that this example makes."
  type        = string
  default     = "0.1.0"
}

variable "ready" {
  description = "Whether the image has been pushed: false makes everything but the server."
  type        = bool
  default     = false
}

variable "notification_channels" {
  description = "Full names of the channels that alerts go to."
  type        = list(string)
  default     = []
}

variable "deletion_protection" {
  description = "Whether what holds the journal is protected."
  type        = bool
  default     = true
}
