variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "zone" {
  description = "Zone of the one cluster, in the region of the server."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+-[a-z]$", var.zone))
    error_message = "zone must be a zone, such as europe-west1-b."
  }
}

variable "name" {
  description = "Id of the instance; that of its cluster is the same and `-c1`."
  type        = string
  default     = "tape-journal"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,25}[a-z0-9]$", var.name))
    error_message = "name must be 6 to 27 lowercase letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "table" {
  description = "Name of the table."
  type        = string
  default     = "tape"

  validation {
    condition     = can(regex("^[_a-zA-Z0-9][-_.a-zA-Z0-9]{0,49}$", var.table))
    error_message = "table must be 1 to 50 letters, digits, hyphens, underscores and dots."
  }
}

variable "app_profile" {
  description = "Name of the app profile that the server uses."
  type        = string
  default     = "tape"

  validation {
    condition     = can(regex("^[_a-zA-Z0-9][-_.a-zA-Z0-9]{0,49}$", var.app_profile)) && var.app_profile != "default"
    error_message = "app_profile must be 1 to 50 letters, digits, hyphens, underscores and dots, and not `default`, which the service makes."
  }
}

variable "min_nodes" {
  description = "Fewest nodes."
  type        = number
  default     = 1

  validation {
    condition     = var.min_nodes >= 1
    error_message = "min_nodes must be at least 1."
  }
}

variable "max_nodes" {
  description = "Most nodes."
  type        = number
  default     = 10

  validation {
    condition     = var.max_nodes >= var.min_nodes && var.max_nodes <= 10 * var.min_nodes
    error_message = "max_nodes must be from min_nodes to ten times that, as the service wants it."
  }
}

variable "cpu_target" {
  description = "Load in per cent at which nodes are added."
  type        = number
  default     = 60

  validation {
    condition     = var.cpu_target >= 10 && var.cpu_target <= 80
    error_message = "cpu_target must be from 10 to 80."
  }
}

variable "backup_retention_hours" {
  description = "Hours that the daily backup of the table is kept."
  type        = number
  default     = 168

  validation {
    condition     = var.backup_retention_hours >= 72 && var.backup_retention_hours <= 2160
    error_message = "backup_retention_hours must be from 72 to 2160 (90 days)."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the instance, and Bigtable itself the table. Apply `false` once before you mean to."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of the instance."
  type        = map(string)
  default     = {}
}
