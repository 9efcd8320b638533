variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the subnet; that of the server and its store."
  type        = string
}

variable "name" {
  description = "Name of the network, and beginning of all other names."
  type        = string
  default     = "tape"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,40}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 42 lowercase letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "subnet_cidr" {
  description = "Addresses of the subnet that Cloud Run instances take theirs from. An instance takes up to 2 while a revision is replaced, so a /26 is the least, and a /24 is enough for 100 instances."
  type        = string
  default     = "10.20.0.0/24"

  validation {
    condition     = can(cidrnetmask(var.subnet_cidr)) && try(tonumber(split("/", var.subnet_cidr)[1]), 33) <= 26
    error_message = "subnet_cidr must be an IPv4 range of /26 or larger, such as 10.20.0.0/24."
  }
}

variable "private_services" {
  description = "Whether to make a range of addresses for AlloyDB or Cloud SQL and peer it with Google's network. Bigtable and Spanner need none."
  type        = bool
  default     = true
}

variable "private_services_prefix_length" {
  description = "Size of that range: 20 means a /20. AlloyDB asks for /24 or larger in each region."
  type        = number
  default     = 20

  validation {
    condition     = var.private_services_prefix_length >= 16 && var.private_services_prefix_length <= 24
    error_message = "private_services_prefix_length must be from 16 to 24."
  }
}

variable "private_run_app" {
  description = "Whether names below run.app lead to Google's private addresses inside this network, so that workers reach a server with internal ingress while everything else they call goes to the internet directly."
  type        = bool
  default     = true
}
