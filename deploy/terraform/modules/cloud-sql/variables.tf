variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the instance."
  type        = string
}

variable "name" {
  description = "Name of the instance. A deleted one's name cannot be used again for a week."
  type        = string
  default     = "tape"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,80}[a-z0-9]$", var.name))
    error_message = "name must be lowercase letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "network" {
  description = "Id of a network that is peered for private services: `private_services_network` of the network module."
  type        = string
}

variable "database" {
  description = "Name of the database that holds the journal."
  type        = string
  default     = "tape"

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]{0,62}$", var.database))
    error_message = "database must be lowercase letters, digits and underscores, not beginning with a digit."
  }
}

variable "service_account" {
  description = "Address of the service account that the server runs as. It becomes a database user that logs in by IAM, without a password."
  type        = string

  validation {
    condition     = endswith(var.service_account, ".gserviceaccount.com")
    error_message = "service_account must be the address of a service account, ending in .gserviceaccount.com."
  }
}

variable "database_version" {
  description = "PostgreSQL version."
  type        = string
  default     = "POSTGRES_17"

  validation {
    condition     = can(regex("^POSTGRES_1[3-8]$", var.database_version))
    error_message = "database_version must be POSTGRES_13 to POSTGRES_18: what Tape runs on."
  }
}

variable "edition" {
  description = "ENTERPRISE or ENTERPRISE_PLUS."
  type        = string
  default     = "ENTERPRISE"

  validation {
    condition     = contains(["ENTERPRISE", "ENTERPRISE_PLUS"], var.edition)
    error_message = "edition must be ENTERPRISE or ENTERPRISE_PLUS."
  }
}

variable "tier" {
  description = "Machine type."
  type        = string
  default     = "db-custom-2-7680"
}

variable "availability" {
  description = "REGIONAL: a synchronous standby in another zone takes over when one fails. ZONAL costs half and does not."
  type        = string
  default     = "REGIONAL"

  validation {
    condition     = contains(["REGIONAL", "ZONAL"], var.availability)
    error_message = "availability must be REGIONAL or ZONAL."
  }
}

variable "disk_size_gb" {
  description = "Size of the disk at first; it grows by itself."
  type        = number
  default     = 20

  validation {
    condition     = var.disk_size_gb >= 10
    error_message = "disk_size_gb must be at least 10."
  }
}

variable "ssl_mode" {
  description = "Which connections are let in: encrypted ones, or only those with a client certificate, which connectors have."
  type        = string
  default     = "ENCRYPTED_ONLY"

  validation {
    condition     = contains(["ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"], var.ssl_mode)
    error_message = "ssl_mode must be ENCRYPTED_ONLY or TRUSTED_CLIENT_CERTIFICATE_REQUIRED: unencrypted connections are not offered."
  }
}

variable "recovery_window_days" {
  description = "Days back to any second of which the instance can be restored; 7 is the most of edition ENTERPRISE."
  type        = number
  default     = 7

  validation {
    condition     = var.recovery_window_days >= 1 && var.recovery_window_days <= (var.edition == "ENTERPRISE_PLUS" ? 35 : 7)
    error_message = "recovery_window_days must be from 1 to 7, or to 35 with edition ENTERPRISE_PLUS."
  }
}

variable "backups_kept" {
  description = "Daily backups that are kept; more than recovery_window_days."
  type        = number
  default     = 30

  validation {
    condition     = var.backups_kept > var.recovery_window_days && var.backups_kept <= 365
    error_message = "backups_kept must be more than recovery_window_days, and 365 at most."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform, and Cloud SQL itself, refuse to delete the instance. Apply `false` once before you mean to."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of the instance."
  type        = map(string)
  default     = {}
}
