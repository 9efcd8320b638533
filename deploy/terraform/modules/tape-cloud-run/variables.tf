variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the service; that of its store."
  type        = string
}

variable "name" {
  description = "Name of the Cloud Run service."
  type        = string
  default     = "tape"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,47}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 49 lowercase letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "image" {
  description = "The server's image (deploy/container), best by digest: REGION-docker.pkg.dev/PROJECT/tape/tape@sha256:..."
  type        = string

  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image must have a version or a digest, and not the tag `latest`: two instances of one revision must run the same."
  }
}

variable "service_account" {
  description = "Address of the service account that the server runs as: `server` of the iam module."
  type        = string
}

variable "store" {
  description = "The secret with the store's URL, and its version: `secret` and `version` of the secret-manager module."
  type = object({
    secret  = string
    version = optional(string, "latest")
  })
}

variable "database_proxy" {
  description = "The Auth Proxy beside the server: kind alloydb or cloud-sql, and the instance as that proxy takes it (`instance` of the alloydb or cloud-sql module). Null: the store needs none."
  type = object({
    kind     = string
    instance = string
    image    = optional(string)
  })
  default = null

  validation {
    condition     = var.database_proxy == null || contains(["alloydb", "cloud-sql"], try(var.database_proxy.kind, ""))
    error_message = "database_proxy.kind must be alloydb or cloud-sql."
  }
}

variable "network" {
  description = "Network and subnet that the instances go out through (direct VPC egress), for private addresses only. Null for Bigtable and Spanner, which are reached without."
  type = object({
    network    = string
    subnetwork = string
    tags       = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.network != null || var.database_proxy == null
    error_message = "network must be set with database_proxy: the database has private addresses only."
  }
}

variable "ingress" {
  description = "Where calls may come from: `internal` (networks of the project, and Google's own services), or `internal-and-load-balancer` (also an external Application Load Balancer that you put before it)."
  type        = string
  default     = "internal"

  validation {
    # The public run.app address is not offered: it would go past the load balancer, and so past its rules, certificates and
    # logs. Who wants callers on the internet puts a load balancer before the service.
    condition     = contains(["internal", "internal-and-load-balancer"], var.ingress)
    error_message = "ingress must be internal or internal-and-load-balancer: the public address of Cloud Run is not offered."
  }
}

variable "invokers" {
  description = "Who may call, as far as Cloud Run is concerned (roles/run.invoker on this service): any name for each, and the member, such as serviceAccount:worker@project.iam.gserviceaccount.com."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for member in values(var.invokers) : !contains(["allUsers", "allAuthenticatedUsers"], member)])
    error_message = "invokers must be accounts, groups or domains: allUsers and allAuthenticatedUsers would let everyone in."
  }
}

variable "auth" {
  description = "Who may call, as far as Tape is concerned. mode google: Google ID tokens of the accounts `allowed`, by address; jwt: tokens of `issuer` for the subjects `allowed`; token: bearer tokens of the secret `tokens_secret`. audience: what ID tokens must be for, unless said one of the service's own (output `audience`). tenant: where those callers are. scopes: what they may grant to a run."
  type = object({
    mode                  = string
    audience              = optional(string)
    allowed               = optional(list(string), [])
    tenant                = optional(string, "")
    scopes                = optional(list(string), [])
    issuer                = optional(string)
    jwks_url              = optional(string, "")
    tokens_secret         = optional(string)
    tokens_secret_version = optional(string, "latest")
  })

  validation {
    condition     = contains(["google", "jwt", "token"], var.auth.mode)
    error_message = "auth.mode must be google, jwt or token: a server that others can reach authenticates its callers."
  }

  validation {
    condition     = var.auth.mode == "token" || length(var.auth.allowed) > 0
    error_message = "auth.allowed must name at least one account or subject with modes google and jwt: every account of an issuer has valid ID tokens."
  }

  validation {
    condition     = var.auth.mode != "jwt" || var.auth.issuer != null
    error_message = "auth.issuer must be set with mode jwt, as tokens name it."
  }

  validation {
    condition     = var.auth.mode != "token" || var.auth.tokens_secret != null
    error_message = "auth.tokens_secret must name a secret with TAPE_TOKENS with mode token."
  }
}

variable "min_instances" {
  description = "Instances that always run. Timers fire and leases are watched in every running instance, so 0 stops them while nobody calls."
  type        = number
  default     = 1

  validation {
    condition     = var.min_instances >= 0
    error_message = "min_instances must not be negative."
  }
}

variable "max_instances" {
  description = "Most instances. Each opens up to 10 connections to a PostgreSQL store."
  type        = number
  default     = 10

  validation {
    condition     = var.max_instances >= 1 && var.max_instances >= var.min_instances
    error_message = "max_instances must be at least 1, and not less than min_instances."
  }
}

variable "concurrency" {
  description = "Calls and streams at once on one instance before Cloud Run starts another. Followers are streams that stay open, so this is high."
  type        = number
  default     = 500

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000
    error_message = "concurrency must be from 1 to 1000, which is the most that Cloud Run and a default TAPE_MAX_STREAMS allow."
  }
}

variable "cpu" {
  description = "CPUs of the server's container: 1, 2, 4 or 8. They are always allocated, because the server works between calls too."
  type        = string
  default     = "1"

  validation {
    condition     = contains(["1", "2", "4", "8"], var.cpu)
    error_message = "cpu must be 1, 2, 4 or 8."
  }
}

variable "memory" {
  description = "Memory of the server's container. Hot rows take up to 128 MiB and calls under way up to 256 MiB unless told otherwise, so 1Gi is the least."
  type        = string
  default     = "1Gi"

  validation {
    condition     = can(regex("^[1-9][0-9]?Gi$", var.memory))
    error_message = "memory must be 1Gi to 99Gi."
  }
}

variable "port" {
  description = "The one port of the server's container. Cloud Run tells it as PORT, which the server does not read: TAPE_LISTEN says the same."
  type        = number
  default     = 8080

  validation {
    condition     = var.port >= 1024 && var.port <= 65535 && !contains([5432, 9090, 9464], var.port)
    error_message = "port must be from 1024 to 65535, and not 5432, 9090 or 9464, which containers beside the server use."
  }
}

variable "request_timeout_seconds" {
  description = "After this long Cloud Run ends a call or stream. Clients take a stream up again where it broke, so the most is best."
  type        = number
  default     = 3600

  validation {
    condition     = var.request_timeout_seconds >= 60 && var.request_timeout_seconds <= 3600
    error_message = "request_timeout_seconds must be from 60 to 3600."
  }
}

variable "grace_ms" {
  description = "Milliseconds that the server takes to stop. Cloud Run kills what still runs 10 seconds after SIGTERM."
  type        = number
  default     = 8000

  validation {
    condition     = var.grace_ms >= 1000 && var.grace_ms <= 9000
    error_message = "grace_ms must be from 1000 to 9000: Cloud Run waits 10 seconds and no longer."
  }
}

variable "env" {
  description = "Further settings of the server (docs/configuration.md), such as TAPE_LOG_LEVEL. What this module sets itself is not taken."
  type        = map(string)
  default     = {}

  validation {
    condition = length(setintersection(keys(var.env), [
      "PORT", "TAPE_STORE", "TAPE_LISTEN", "TAPE_TOKENS", "TAPE_INSECURE_NO_AUTH", "TAPE_GRACE_MS", "TAPE_AUTH",
    ])) == 0
    error_message = "env must not hold PORT, TAPE_STORE, TAPE_LISTEN, TAPE_AUTH, TAPE_TOKENS, TAPE_INSECURE_NO_AUTH or TAPE_GRACE_MS: other variables of this module set those."
  }
}

variable "metrics" {
  description = "The Managed Prometheus sidecar: the secret with its configuration (`metrics` of the observability module). Null: none."
  type = object({
    config_secret  = string
    config_version = optional(string, "latest")
    port           = optional(number, 9464)
    image          = optional(string, "us-docker.pkg.dev/cloud-ops-agents-artifacts/cloud-run-gmp-sidecar/cloud-run-gmp-sidecar:1.2.0")
  })
  default = null
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the service. It holds no data; its address is what callers know."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of the service and its revisions."
  type        = map(string)
  default     = {}
}
