variables {
  project         = "acme"
  region          = "europe-west1"
  name            = "refund-agent"
  image           = "europe-west1-docker.pkg.dev/acme/tape/refund-agent:1"
  service_account = "tape-worker@acme.iam.gserviceaccount.com"
  server          = { url = "tapes://tape-0a1b2c3d4e-ew.a.run.app", audience = "https://tape.acme.internal" }
  network         = { network = "projects/acme/global/networks/tape", subnetwork = "projects/acme/regions/europe-west1/subnetworks/tape-run" }
  secret_env      = { MODEL_API_KEY = { secret = "model-api-key" } }
}

run "the_worker_knows_the_server_and_reaches_it_privately" {
  command = plan

  assert {
    condition     = one([for env in google_cloud_run_v2_worker_pool.this.template[0].containers[0].env : env.value if env.name == "TAPE_SERVER"]) == var.server.url
    error_message = "The worker must be told the server."
  }

  assert {
    condition     = google_cloud_run_v2_worker_pool.this.template[0].vpc_access[0].egress == "PRIVATE_RANGES_ONLY" && google_cloud_run_v2_worker_pool.this.template[0].service_account == var.service_account
    error_message = "The worker must go through the network, as its own account."
  }

  assert {
    condition     = one([for env in google_cloud_run_v2_worker_pool.this.template[0].containers[0].env : env.value_source[0].secret_key_ref[0].secret if env.name == "MODEL_API_KEY"]) == "model-api-key"
    error_message = "Keys must come from Secret Manager."
  }
}
