locals {
  # AlloyDB's name for a service account.
  database_user = trimsuffix(var.service_account, ".gserviceaccount.com")
}

resource "google_alloydb_cluster" "this" {
  project          = var.project
  location         = var.region
  cluster_id       = var.name
  database_version = var.database_version
  labels           = var.labels

  # There is no initial_user: its password would lie in the state, and nobody needs one to log in by IAM.
  network_config {
    network = var.network
  }

  continuous_backup_config {
    enabled              = true
    recovery_window_days = var.recovery_window_days
  }

  automated_backup_policy {
    enabled       = true
    location      = var.region
    backup_window = "3600s"

    weekly_schedule {
      days_of_week = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]

      start_times {
        hours = 3
      }
    }

    time_based_retention {
      retention_period = "${var.backup_retention_days * 24 * 60 * 60}s"
    }
  }
}

resource "google_alloydb_instance" "primary" {
  cluster           = google_alloydb_cluster.this.name
  instance_id       = "${var.name}-primary"
  instance_type     = "PRIMARY"
  availability_type = var.availability
  labels            = var.labels

  database_flags = {
    "alloydb.iam_authentication" = "on"
  }

  machine_config {
    cpu_count = var.cpu_count
  }

  # Whoever connects comes through the Auth Proxy or a connector, which prove who both ends are.
  client_connection_config {
    require_connectors = true

    ssl_config {
      ssl_mode = "ENCRYPTED_ONLY"
    }
  }
}

resource "google_alloydb_instance" "read_pool" {
  count = var.read_pool_nodes > 0 ? 1 : 0

  cluster       = google_alloydb_cluster.this.name
  instance_id   = "${var.name}-read"
  instance_type = "READ_POOL"
  labels        = var.labels

  database_flags = {
    "alloydb.iam_authentication" = "on"
  }

  machine_config {
    cpu_count = var.cpu_count
  }

  read_pool_config {
    node_count = var.read_pool_nodes
  }

  client_connection_config {
    require_connectors = true

    ssl_config {
      ssl_mode = "ENCRYPTED_ONLY"
    }
  }

  depends_on = [google_alloydb_instance.primary]
}

resource "google_alloydb_user" "server" {
  cluster        = google_alloydb_cluster.this.name
  user_id        = local.database_user
  user_type      = "ALLOYDB_IAM_USER"
  database_roles = ["alloydbiamuser"]

  depends_on = [google_alloydb_instance.primary]
}

# The provider's clusters have no deletion protection before version 7, and lifecycle rules take no variables. This one is
# destroyed before what it depends on, and refuses: so nothing is destroyed.
resource "terraform_data" "deletion_protection" {
  input = var.deletion_protection

  lifecycle {
    replace_triggered_by = [google_alloydb_cluster.this.id, google_alloydb_instance.primary.id]
  }

  provisioner "local-exec" {
    when    = destroy
    command = self.input ? "echo 'The AlloyDB cluster holds a journal and is protected: apply deletion_protection = false first.' && exit 1" : "exit 0"
  }

  depends_on = [google_alloydb_cluster.this, google_alloydb_instance.primary]
}
