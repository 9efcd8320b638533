variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the worker pool; that of the server."
  type        = string
}

variable "name" {
  description = "Name of the worker pool."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,47}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 49 lowercase letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "image" {
  description = "The worker's image: a program that calls Tape, such as an agent or a dispatcher."
  type        = string

  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image must have a version or a digest, and not the tag `latest`."
  }
}

variable "command" {
  description = "Entry point, where it is not the image's."
  type        = list(string)
  default     = null
}

variable "args" {
  description = "Arguments, where they are not the image's."
  type        = list(string)
  default     = null
}

variable "service_account" {
  description = "Address of the service account that the worker runs as: one of `workers` of the iam module. It must be among the server's invokers."
  type        = string
}

variable "server" {
  description = "The server: its URL (`server_url` of tape-cloud-run) and what ID tokens are made out to (`audience`)."
  type = object({
    url      = string
    audience = string
  })
}

variable "network" {
  description = "Network and subnet that the worker goes out through, in which names below run.app are private (the network module): how it reaches a server with internal ingress. Everything public is called directly."
  type = object({
    network    = string
    subnetwork = string
    tags       = optional(list(string), [])
  })
}

variable "instances" {
  description = "Instances that run. Worker pools do not scale by themselves: each instance takes from the same queue of work, and a lease keeps two from doing the same."
  type        = number
  default     = 1

  validation {
    condition     = var.instances >= 0
    error_message = "instances must not be negative."
  }
}

variable "cpu" {
  description = "CPUs of an instance, always allocated."
  type        = string
  default     = "1"
}

variable "memory" {
  description = "Memory of an instance."
  type        = string
  default     = "512Mi"
}

variable "env" {
  description = "Further environment variables."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.env), ["TAPE_SERVER", "TAPE_CLIENT_AUTH", "TAPE_CLIENT_AUDIENCE"])) == 0
    error_message = "env must not hold TAPE_SERVER, TAPE_CLIENT_AUTH or TAPE_CLIENT_AUDIENCE: `server` sets those."
  }
}

variable "secret_env" {
  description = "Environment variables from Secret Manager, such as a model's API key: by name, the secret and its version. Grant the worker's account the right to read them."
  type = map(object({
    secret  = string
    version = optional(string, "latest")
  }))
  default = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the pool. It holds no data."
  type        = bool
  default     = false
}

variable "labels" {
  description = "Labels of the pool."
  type        = map(string)
  default     = {}
}
