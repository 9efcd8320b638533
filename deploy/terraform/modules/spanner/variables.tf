variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "config" {
  description = "Instance configuration: regional-europe-west1, nam3 ... The server belongs near its leader."
  type        = string
}

variable "name" {
  description = "Id of the instance."
  type        = string
  default     = "tape"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 64 lowercase letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "database" {
  description = "Id of the database."
  type        = string
  default     = "tape"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_-]{0,28}[a-z0-9]$", var.database))
    error_message = "database must be 2 to 30 lowercase letters, digits, underscores and hyphens, beginning with a letter."
  }
}

variable "processing_units" {
  description = "Size: 100 to 900 in hundreds, or thousands (1000 is a node)."
  type        = number
  default     = 100

  validation {
    condition     = var.processing_units >= 100 && var.processing_units % (var.processing_units < 1000 ? 100 : 1000) == 0
    error_message = "processing_units must be 100 to 900 in hundreds, or a multiple of 1000."
  }
}

variable "edition" {
  description = "STANDARD, ENTERPRISE, or ENTERPRISE_PLUS, which multi-region configurations need."
  type        = string
  default     = "STANDARD"

  validation {
    condition     = contains(["STANDARD", "ENTERPRISE", "ENTERPRISE_PLUS"], var.edition)
    error_message = "edition must be STANDARD, ENTERPRISE or ENTERPRISE_PLUS."
  }
}

variable "backup_retention_days" {
  description = "Days that the daily backups are kept."
  type        = number
  default     = 30

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 366
    error_message = "backup_retention_days must be from 1 to 366."
  }
}

variable "version_retention_period" {
  description = "How far back the database can be read or restored to any moment: 1h to 7d."
  type        = string
  default     = "7d"

  validation {
    condition     = can(regex("^([1-7]d|[1-9][0-9]{0,2}h)$", var.version_retention_period))
    error_message = "version_retention_period must be days (1d to 7d) or hours (1h to 168h)."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform, and Spanner itself, refuse to drop the database, and so to delete the instance. Apply `false` once before you mean to."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of the instance."
  type        = map(string)
  default     = {}
}
