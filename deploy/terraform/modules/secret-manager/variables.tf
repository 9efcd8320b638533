variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "secret_id" {
  description = "Name of the secret."
  type        = string
  default     = "tape-store"

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,255}$", var.secret_id))
    error_message = "secret_id must be letters, digits, hyphens and underscores."
  }
}

variable "store_url" {
  description = "The store's URL, TAPE_STORE. Null: you add versions yourself (gcloud secrets versions add), which keeps a URL with a password out of Terraform's state."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.store_url == null || can(regex("^(alloydb|bigtable|postgres|postgresql|spanner)://.", var.store_url))
    error_message = "store_url must be an alloydb://, bigtable://, postgres:// or spanner:// URL; a file of a container is gone with the container."
  }
}

variable "accessors" {
  description = "Who may read the secret, and nothing else: any name for each, and the member, such as serviceAccount:tape@project.iam.gserviceaccount.com."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for member in values(var.accessors) : startswith(member, "serviceAccount:")])
    error_message = "accessors must be service accounts: people and groups have no use for the store's URL."
  }
}

variable "locations" {
  description = "Regions that the secret is kept in; empty: Google chooses."
  type        = list(string)
  default     = []
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the secret."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of the secret."
  type        = map(string)
  default     = {}
}
