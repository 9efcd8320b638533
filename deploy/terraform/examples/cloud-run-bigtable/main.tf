locals {
  services = [
    "bigtable.googleapis.com",
    "bigtableadmin.googleapis.com",
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
  private_services = false
  depends_on       = [google_project_service.this]
}

module "bigtable" {
  source              = "../../modules/bigtable"
  project             = var.project
  zone                = "${var.region}-b"
  deletion_protection = var.deletion_protection
  depends_on          = [google_project_service.this]
}

module "iam" {
  source     = "../../modules/iam"
  project    = var.project
  store      = { kind = "bigtable", instance = module.bigtable.instance, table = module.bigtable.table }
  depends_on = [google_project_service.this]
}

module "store_secret" {
  source              = "../../modules/secret-manager"
  project             = var.project
  store_url           = module.bigtable.store_url
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
  metrics             = module.observability.metrics
  auth                = { mode = "google", allowed = values(module.iam.workers) }
  invokers            = module.iam.worker_members
  deletion_protection = var.deletion_protection

  # The server opens its store at once, so its roles have to be there.
  depends_on = [module.iam]
}
