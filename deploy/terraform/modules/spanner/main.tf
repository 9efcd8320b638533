resource "google_spanner_instance" "this" {
  project          = var.project
  name             = var.name
  display_name     = var.name
  config           = var.config
  edition          = var.edition
  processing_units = var.processing_units
  force_destroy    = !var.deletion_protection
  labels           = var.labels

  # The schedule below is the only one.
  default_backup_schedule_type = "NONE"
}

# Empty, in GoogleSQL: Tape makes its tables itself, and takes no database that has others.
resource "google_spanner_database" "tape" {
  project                  = var.project
  instance                 = google_spanner_instance.this.name
  name                     = var.database
  database_dialect         = "GOOGLE_STANDARD_SQL"
  version_retention_period = var.version_retention_period
  deletion_protection      = var.deletion_protection
  enable_drop_protection   = var.deletion_protection
}

resource "google_spanner_backup_schedule" "daily" {
  project            = var.project
  instance           = google_spanner_instance.this.name
  database           = google_spanner_database.tape.name
  name               = "daily"
  retention_duration = "${var.backup_retention_days * 24 * 60 * 60}s"

  spec {
    cron_spec {
      text = "0 3 * * *"
    }
  }

  full_backup_spec {}
}
