variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the repository; that of the server, so that instances start fast."
  type        = string
}

variable "name" {
  description = "Name of the repository."
  type        = string
  default     = "tape"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,61}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 63 lowercase letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "readers" {
  description = "Who may pull beside Cloud Run in this project, which may anyway: any name for each, and the member."
  type        = map(string)
  default     = {}
}

variable "writers" {
  description = "Who may push, such as the account of a build: any name for each, and the member."
  type        = map(string)
  default     = {}
}

variable "keep_versions" {
  description = "Versions of each image that are kept, however old; others go after 30 days."
  type        = number
  default     = 10

  validation {
    condition     = var.keep_versions >= 2
    error_message = "keep_versions must be at least 2: the one that runs and the one to go back to."
  }
}

variable "labels" {
  description = "Labels of the repository."
  type        = map(string)
  default     = {}
}
