locals {
  audience = coalesce(var.auth.audience, "https://${var.name}.${var.project}.internal")

  ingress = {
    internal                   = "INGRESS_TRAFFIC_INTERNAL_ONLY"
    internal-and-load-balancer = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  }[var.ingress]

  # What is empty counts as not set, and is left out below.
  auth_env = merge(
    { TAPE_AUTH = var.auth.mode },
    var.auth.mode == "token" ? {} : {
      TAPE_AUTH_AUDIENCE = local.audience
      TAPE_AUTH_ALLOW    = join(",", var.auth.allowed)
      TAPE_AUTH_TENANT   = var.auth.tenant
      TAPE_AUTH_SCOPES   = join(",", var.auth.scopes)
    },
    var.auth.mode == "jwt" ? { TAPE_AUTH_ISSUER = var.auth.issuer, TAPE_AUTH_JWKS_URL = var.auth.jwks_url } : {},
  )

  env = merge(
    { TAPE_LOG = "json" },
    var.env,
    { for name, value in local.auth_env : name => value if value != "" },
    {
      # All addresses of the instance: Cloud Run's front end comes from another one than loopback.
      TAPE_LISTEN   = "0.0.0.0:${var.port}"
      TAPE_GRACE_MS = tostring(var.grace_ms)
    },
    var.metrics == null ? {} : { TAPE_METRICS_LISTEN = "127.0.0.1:${var.metrics.port}" },
  )

  secret_env = merge(
    { TAPE_STORE = { secret = var.store.secret, version = var.store.version } },
    var.auth.mode == "token" ? { TAPE_TOKENS = { secret = var.auth.tokens_secret, version = var.auth.tokens_secret_version } } : {},
  )

  proxy_name        = "database-proxy"
  proxy_health_port = 9090

  proxies = {
    alloydb = {
      image = "gcr.io/alloydb-connectors/alloydb-auth-proxy:1.14.1"
      args  = []
    }
    cloud-sql = {
      image = "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.18.2"
      # AlloyDB's proxy takes the private address by itself, this one has to be told.
      args = ["--private-ip"]
    }
  }

  proxy = var.database_proxy == null ? null : {
    image = coalesce(var.database_proxy.image, local.proxies[var.database_proxy.kind].image)
    args = concat(
      [
        # Loopback is shared by the containers of an instance, and by nobody else.
        "--address=127.0.0.1",
        "--port=5432",
        "--auto-iam-authn",
        "--structured-logs",
        "--health-check",
        "--http-address=0.0.0.0",
        "--http-port=${local.proxy_health_port}",
        # SIGTERM comes to all containers at once: the server still needs its connections to drain.
        "--max-sigterm-delay=${ceil(var.grace_ms / 1000)}s",
        "--exit-zero-on-sigterm",
      ],
      local.proxies[var.database_proxy.kind].args,
      [var.database_proxy.instance],
    )
  }
}

resource "google_cloud_run_v2_service" "this" {
  project             = var.project
  location            = var.region
  name                = var.name
  description         = "Tape server"
  labels              = var.labels
  deletion_protection = var.deletion_protection
  ingress             = local.ingress
  custom_audiences    = [local.audience]

  template {
    service_account                  = var.service_account
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    timeout                          = "${var.request_timeout_seconds}s"
    max_instance_request_concurrency = var.concurrency
    labels                           = var.labels

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }

    dynamic "vpc_access" {
      for_each = var.network == null ? [] : [var.network]

      content {
        egress = "PRIVATE_RANGES_ONLY"

        network_interfaces {
          network    = vpc_access.value.network
          subnetwork = vpc_access.value.subnetwork
          tags       = vpc_access.value.tags
        }
      }
    }

    containers {
      name  = "server"
      image = var.image
      args  = ["serve"]

      # Started only once the proxy says that it is ready: the server looks at its store at once.
      depends_on = local.proxy == null ? [] : [local.proxy_name]

      ports {
        # gRPC all the way. Probes and HTTP/1.1 are served on the same port.
        name           = "h2c"
        container_port = var.port
      }

      dynamic "env" {
        for_each = local.env

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = local.secret_env

        content {
          name = env.key

          value_source {
            secret_key_ref {
              secret  = env.value.secret
              version = env.value.version
            }
          }
        }
      }

      resources {
        limits = {
          cpu    = var.cpu
          memory = var.memory
        }

        # Timers, leases and the feed go on while nobody calls.
        cpu_idle          = false
        startup_cpu_boost = true
      }

      # Ready: the store has answered. Two minutes, for a migration of a large journal.
      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 60

        http_get {
          path = "/readyz"
          port = var.port
        }
      }

      # Alive: says nothing about the store, because a restart would not mend it.
      liveness_probe {
        period_seconds    = 10
        timeout_seconds   = 5
        failure_threshold = 3

        http_get {
          path = "/healthz"
          port = var.port
        }
      }
    }

    dynamic "containers" {
      for_each = local.proxy == null ? [] : [local.proxy]

      content {
        name  = local.proxy_name
        image = containers.value.image
        args  = containers.value.args

        resources {
          limits = {
            cpu    = "500m"
            memory = "512Mi"
          }

          cpu_idle = false
        }

        startup_probe {
          period_seconds    = 1
          timeout_seconds   = 1
          failure_threshold = 60

          http_get {
            path = "/startup"
            port = local.proxy_health_port
          }
        }
      }
    }

    dynamic "containers" {
      for_each = var.metrics == null ? [] : [var.metrics]

      content {
        name  = "metrics"
        image = containers.value.image

        # After the server: before, there is nothing to read.
        depends_on = ["server"]

        resources {
          limits = {
            cpu    = "250m"
            memory = "256Mi"
          }

          cpu_idle = false
        }

        volume_mounts {
          name       = "metrics-config"
          mount_path = "/etc/rungmp"
        }
      }
    }

    dynamic "volumes" {
      for_each = var.metrics == null ? [] : [var.metrics]

      content {
        name = "metrics-config"

        secret {
          secret = volumes.value.config_secret

          items {
            path    = "config.yaml"
            version = volumes.value.config_version
          }
        }
      }
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = var.invokers

  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.this.name
  role     = "roles/run.invoker"
  member   = each.value
}
