variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the cluster."
  type        = string
}

variable "name" {
  description = "Id of the cluster."
  type        = string
  default     = "tape"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,40}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 42 lowercase letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "network" {
  description = "Id of a network that is peered for private services: `private_services_network` of the network module."
  type        = string
}

variable "database" {
  description = "Name of the database that holds the journal. This module cannot make it (output `setup_sql` does)."
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
  default     = "POSTGRES_16"

  validation {
    condition     = contains(["POSTGRES_14", "POSTGRES_15", "POSTGRES_16", "POSTGRES_17"], var.database_version)
    error_message = "database_version must be POSTGRES_14, POSTGRES_15, POSTGRES_16 or POSTGRES_17."
  }
}

variable "cpu_count" {
  description = "CPUs of the primary instance."
  type        = number
  default     = 2

  validation {
    condition     = contains([1, 2, 4, 8, 16, 32, 48, 64, 72, 96, 128], var.cpu_count)
    error_message = "cpu_count must be 1, 2, 4, 8, 16, 32, 48, 64, 72, 96 or 128."
  }
}

variable "availability" {
  description = "REGIONAL: a standby in another zone takes over when one fails. ZONAL costs half and does not."
  type        = string
  default     = "REGIONAL"

  validation {
    condition     = contains(["REGIONAL", "ZONAL"], var.availability)
    error_message = "availability must be REGIONAL or ZONAL."
  }
}

variable "read_pool_nodes" {
  description = "Nodes of a read pool for questions in SQL; 0: none. The server itself reads and writes the primary only."
  type        = number
  default     = 0

  validation {
    condition     = var.read_pool_nodes >= 0 && var.read_pool_nodes <= 20
    error_message = "read_pool_nodes must be from 0 to 20."
  }
}

variable "recovery_window_days" {
  description = "Days back to any second of which the cluster can be restored."
  type        = number
  default     = 14

  validation {
    condition     = var.recovery_window_days >= 1 && var.recovery_window_days <= 35
    error_message = "recovery_window_days must be from 1 to 35."
  }
}

variable "backup_retention_days" {
  description = "Days that the daily backups are kept."
  type        = number
  default     = 30

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 365
    error_message = "backup_retention_days must be from 1 to 365."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to destroy or replace the cluster. Apply `false` once before you mean to."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of cluster and instances."
  type        = map(string)
  default     = {}
}
