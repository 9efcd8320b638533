locals {
  # The family that Tape reads and writes; it takes no other.
  family = "m"
}

resource "google_bigtable_instance" "this" {
  project             = var.project
  name                = var.name
  display_name        = var.name
  deletion_protection = var.deletion_protection
  labels              = var.labels

  # One cluster: a journal is conditional writes on a row, which Bigtable does on one cluster only.
  cluster {
    cluster_id   = "${var.name}-c1"
    zone         = var.zone
    storage_type = "SSD"

    autoscaling_config {
      min_nodes  = var.min_nodes
      max_nodes  = var.max_nodes
      cpu_target = var.cpu_target
    }
  }
}

resource "google_bigtable_table" "tape" {
  project             = var.project
  instance_name       = google_bigtable_instance.this.name
  name                = var.table
  deletion_protection = var.deletion_protection ? "PROTECTED" : "UNPROTECTED"

  column_family {
    family = local.family
  }

  automated_backup_policy {
    retention_period = "${var.backup_retention_hours}h0m0s"
    frequency        = "24h0m0s"
  }
}

# One version a cell: a head that was replaced is gone, and rows stay small.
resource "google_bigtable_gc_policy" "one_version" {
  project         = var.project
  instance_name   = google_bigtable_instance.this.name
  table           = google_bigtable_table.tape.name
  column_family   = local.family
  deletion_policy = "ABANDON"

  max_version {
    number = 1
  }
}

resource "google_bigtable_app_profile" "tape" {
  project        = var.project
  instance       = google_bigtable_instance.this.name
  app_profile_id = var.app_profile
  description    = "Tape's journal: one cluster, single-row transactions."

  single_cluster_routing {
    cluster_id                 = "${var.name}-c1"
    allow_transactional_writes = true
  }
}
