resource "google_cloud_run_v2_worker_pool" "this" {
  project             = var.project
  location            = var.region
  name                = var.name
  description         = "Calls the Tape server"
  labels              = var.labels
  deletion_protection = var.deletion_protection

  # Worker pools are not generally available in this version of the provider.
  launch_stage = "BETA"

  scaling {
    scaling_mode          = "MANUAL"
    manual_instance_count = var.instances
  }

  template {
    service_account = var.service_account

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"

      network_interfaces {
        network    = var.network.network
        subnetwork = var.network.subnetwork
        tags       = var.network.tags
      }
    }

    containers {
      name    = "worker"
      image   = var.image
      command = var.command
      args    = var.args

      dynamic "env" {
        for_each = merge(var.env, {
          TAPE_SERVER          = var.server.url
          TAPE_CLIENT_AUTH     = "google"
          TAPE_CLIENT_AUDIENCE = var.server.audience
        })

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secret_env

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
      }
    }
  }
}
