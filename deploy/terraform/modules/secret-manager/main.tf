resource "google_secret_manager_secret" "store" {
  project             = var.project
  secret_id           = var.secret_id
  labels              = var.labels
  deletion_protection = var.deletion_protection

  replication {
    dynamic "auto" {
      for_each = length(var.locations) == 0 ? [1] : []
      content {}
    }

    dynamic "user_managed" {
      for_each = length(var.locations) == 0 ? [] : [1]

      content {
        dynamic "replicas" {
          for_each = var.locations

          content {
            location = replicas.value
          }
        }
      }
    }
  }
}

resource "google_secret_manager_secret_version" "store" {
  # Whether there is a URL is no secret.
  count = nonsensitive(var.store_url != null) ? 1 : 0

  secret      = google_secret_manager_secret.store.id
  secret_data = var.store_url

  # A revision that is rolled back to reads the version it was deployed with.
  deletion_policy = "ABANDON"
}

# On this secret only: a grant on the project would open every other secret too.
resource "google_secret_manager_secret_iam_member" "accessor" {
  for_each = var.accessors

  project   = var.project
  secret_id = google_secret_manager_secret.store.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value
}
