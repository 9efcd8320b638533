resource "google_compute_network" "this" {
  project                 = var.project
  name                    = var.name
  auto_create_subnetworks = false
  routing_mode            = "REGIONAL"
}

resource "google_compute_subnetwork" "run" {
  project       = var.project
  region        = var.region
  name          = "${var.name}-run"
  network       = google_compute_network.this.id
  ip_cidr_range = var.subnet_cidr

  # Bigtable, Spanner, the auth proxies and run.app are Google APIs: instances here have no public address.
  private_ip_google_access = true
}

resource "google_compute_global_address" "private_services" {
  count = var.private_services ? 1 : 0

  project       = var.project
  name          = "${var.name}-private-services"
  network       = google_compute_network.this.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = var.private_services_prefix_length
}

resource "google_service_networking_connection" "private_services" {
  count = var.private_services ? 1 : 0

  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.private_services[0].name]

  # The peering outlives a database by some hours, and removing it before then fails.
  deletion_policy = "ABANDON"
}

resource "google_dns_managed_zone" "run_app" {
  count = var.private_run_app ? 1 : 0

  project     = var.project
  name        = "${var.name}-run-app"
  dns_name    = "run.app."
  description = "Cloud Run services, by Google's private addresses."
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.this.id
    }
  }
}

resource "google_dns_record_set" "run_app" {
  for_each = var.private_run_app ? toset(["run.app.", "*.run.app."]) : toset([])

  project      = var.project
  managed_zone = google_dns_managed_zone.run_app[0].name
  name         = each.value
  type         = "A"
  ttl          = 300

  # private.googleapis.com. Cloud Run counts these among the private ranges, so egress PRIVATE_RANGES_ONLY takes them
  # through the network, and the server's internal ingress lets them in.
  rrdatas = ["199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11"]
}
