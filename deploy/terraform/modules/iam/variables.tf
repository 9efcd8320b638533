variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "name" {
  description = "Beginning of the accounts' names."
  type        = string
  default     = "tape"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,15}$", var.name))
    error_message = "name must be 2 to 16 lowercase letters, digits and hyphens, beginning with a letter."
  }
}

variable "store" {
  description = "What the server's account needs roles for. kind: alloydb, cloud-sql, bigtable or spanner. instance, table, database: the outputs of the store's module, where roles can be granted on less than the project."
  type = object({
    kind     = string
    instance = optional(string)
    table    = optional(string)
    database = optional(string)
  })

  validation {
    condition     = contains(["alloydb", "cloud-sql", "bigtable", "spanner"], var.store.kind)
    error_message = "store.kind must be alloydb, cloud-sql, bigtable or spanner."
  }
}

variable "server_migrates" {
  description = "Whether the server may make and migrate its tables at start (Spanner). false: run `tape migrate` as somebody else, and set TAPE_MIGRATE=false."
  type        = bool
  default     = true
}

variable "metrics" {
  description = "Whether the server's metrics sidecar may write to Cloud Monitoring."
  type        = bool
  default     = true
}

variable "workers" {
  description = "Names of the workers that call the server; each gets an account of its own, with no rights but those that you give it."
  type        = set(string)
  default     = ["worker"]

  validation {
    condition     = alltrue([for worker in var.workers : can(regex("^[a-z][a-z0-9-]{0,12}$", worker))])
    error_message = "workers must be 1 to 13 lowercase letters, digits and hyphens each, beginning with a letter."
  }
}
