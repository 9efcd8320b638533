locals {
  # AlloyDB takes grants on the project only. Cloud SQL does too, but looks at conditions.
  project_roles = {
    alloydb = [
      "roles/alloydb.client",
      "roles/alloydb.databaseUser",
      "roles/serviceusage.serviceUsageConsumer",
    ]
    cloud-sql = ["roles/cloudsql.client", "roles/cloudsql.instanceUser"]
    bigtable  = []
    spanner   = []
  }

  spanner_roles = concat(
    ["roles/spanner.databaseUser"],
    var.server_migrates ? ["roles/spanner.databaseAdmin"] : [],
  )
}

resource "google_service_account" "server" {
  project      = var.project
  account_id   = "${var.name}-server"
  display_name = "Tape server"
  description  = "Runs the Tape server: reads and writes the journal's store."
}

resource "google_service_account" "worker" {
  for_each = var.workers

  project      = var.project
  account_id   = "${var.name}-${each.key}"
  display_name = "Tape worker ${each.key}"
  description  = "Calls the Tape server."
}

resource "google_project_iam_member" "store" {
  for_each = toset(local.project_roles[var.store.kind])

  project = var.project
  role    = each.value
  member  = google_service_account.server.member

  dynamic "condition" {
    for_each = var.store.kind == "cloud-sql" ? [1] : []

    content {
      title       = "the journal's instance only"
      description = "Tape's server connects to one Cloud SQL instance."
      expression  = "resource.name == \"projects/${var.project}/instances/${var.store.instance}\" && resource.service == \"sqladmin.googleapis.com\""
    }
  }

  lifecycle {
    precondition {
      condition     = var.store.kind != "cloud-sql" || var.store.instance != null
      error_message = "store.instance must name the Cloud SQL instance (output `name` of the cloud-sql module)."
    }
  }
}

resource "google_bigtable_table_iam_member" "user" {
  count = var.store.kind == "bigtable" ? 1 : 0

  project       = var.project
  instance_name = var.store.instance
  table         = var.store.table
  role          = "roles/bigtable.user"
  member        = google_service_account.server.member
}

# Reads no data. With it the server sees at start whether the app profile fits.
resource "google_bigtable_instance_iam_member" "viewer" {
  count = var.store.kind == "bigtable" ? 1 : 0

  project  = var.project
  instance = var.store.instance
  role     = "roles/bigtable.viewer"
  member   = google_service_account.server.member
}

resource "google_spanner_database_iam_member" "server" {
  for_each = var.store.kind == "spanner" ? toset(local.spanner_roles) : toset([])

  project  = var.project
  instance = var.store.instance
  database = var.store.database
  role     = each.value
  member   = google_service_account.server.member
}

resource "google_project_iam_member" "metrics" {
  count = var.metrics ? 1 : 0

  project = var.project
  role    = "roles/monitoring.metricWriter"
  member  = google_service_account.server.member
}
