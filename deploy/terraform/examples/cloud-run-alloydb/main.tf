locals {
  services = [
    "alloydb.googleapis.com",
    "servicenetworking.googleapis.com",
    "artifactregistry.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "dns.googleapis.com",
    "iam.googleapis.com",
    "monitoring.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
  ]
}

resource "google_project_service" "this" {
  for_each = toset(local.services)

  project            = var.project
  service            = each.value
  disable_on_destroy = false
}

module "registry" {
  source     = "../../modules/artifact-registry"
  project    = var.project
  region     = var.region
  depends_on = [google_project_service.this]
}

module "network" {
  source           = "../../modules/network"
  project          = var.project
  region           = var.region
  private_services = true
  depends_on       = [google_project_service.this]
}

module "iam" {
  source     = "../../modules/iam"
  project    = var.project
  store      = { kind = "alloydb" }
  depends_on = [google_project_service.this]
}

module "alloydb" {
  source              = "../../modules/alloydb"
  project             = var.project
  region              = var.region
  network             = module.network.private_services_network
  service_account     = module.iam.server
  deletion_protection = var.deletion_protection
}

module "store_secret" {
  source              = "../../modules/secret-manager"
  project             = var.project
  store_url           = module.alloydb.store_url
  accessors           = { server = module.iam.server_member }
  deletion_protection = var.deletion_protection
}

module "observability" {
  source                = "../../modules/observability"
  project               = var.project
  server_member         = module.iam.server_member
  notification_channels = var.notification_channels
}

module "server" {
  source = "../../modules/tape-cloud-run"
  count  = var.ready ? 1 : 0

  project             = var.project
  region              = var.region
  image               = "${module.registry.repository}/tape:${var.tape_version}"
  service_account     = module.iam.server
  store               = { secret = module.store_secret.secret, version = module.store_secret.version }
  database_proxy      = { kind = "alloydb", instance = module.alloydb.instance }
  network             = { network = module.network.network, subnetwork = module.network.subnetwork }
  metrics             = module.observability.metrics
  auth                = { mode = "google", allowed = values(module.iam.workers) }
  invokers            = module.iam.worker_members
  deletion_protection = var.deletion_protection

  # The server opens its store at once, so its roles have to be there.
  depends_on = [module.iam]
}
