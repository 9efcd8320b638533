locals {
  # Cloud SQL's name for a service account.
  database_user = trimsuffix(var.service_account, ".gserviceaccount.com")
}

resource "google_sql_database_instance" "this" {
  project          = var.project
  region           = var.region
  name             = var.name
  database_version = var.database_version

  # In Terraform, and below in the service: also against the console and gcloud.
  deletion_protection = var.deletion_protection

  settings {
    tier                        = var.tier
    edition                     = var.edition
    availability_type           = var.availability
    disk_type                   = "PD_SSD"
    disk_size                   = var.disk_size_gb
    disk_autoresize             = true
    deletion_protection_enabled = var.deletion_protection
    user_labels                 = var.labels

    # The proxy is the only way in.
    connector_enforcement = "REQUIRED"

    ip_configuration {
      ipv4_enabled    = false
      private_network = var.network
      ssl_mode        = var.ssl_mode
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "03:00"
      location                       = var.region
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = var.recovery_window_days

      backup_retention_settings {
        retained_backups = var.backups_kept
      }
    }

    database_flags {
      name  = "cloudsql.iam_authentication"
      value = "on"
    }

    maintenance_window {
      day          = 7
      hour         = 4
      update_track = "stable"
    }

    insights_config {
      query_insights_enabled = true
    }
  }
}

resource "google_sql_database" "tape" {
  project  = var.project
  instance = google_sql_database_instance.this.name
  name     = var.database
  charset  = "UTF8"

  # Whatever happens to this resource, the journal stays.
  deletion_policy = "ABANDON"
}

resource "google_sql_user" "server" {
  project  = var.project
  instance = google_sql_database_instance.this.name
  name     = local.database_user
  type     = "CLOUD_IAM_SERVICE_ACCOUNT"

  # A user that owns tables cannot be removed.
  deletion_policy = "ABANDON"
}
