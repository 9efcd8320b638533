variables {
  project         = "acme"
  region          = "europe-west1"
  image           = "europe-west1-docker.pkg.dev/acme/tape/tape:0.1.0"
  service_account = "tape-server@acme.iam.gserviceaccount.com"
  store           = { secret = "tape-store", version = "3" }
  auth            = { mode = "google", allowed = ["tape-worker@acme.iam.gserviceaccount.com"] }
  network         = { network = "projects/acme/global/networks/tape", subnetwork = "projects/acme/regions/europe-west1/subnetworks/tape-run" }
  database_proxy  = { kind = "alloydb", instance = "projects/acme/locations/europe-west1/clusters/tape/instances/tape-primary" }
  metrics         = { config_secret = "tape-metrics-config", config_version = "1" }
  invokers        = { worker = "serviceAccount:tape-worker@acme.iam.gserviceaccount.com" }
}

run "the_server_starts_once_the_proxy_is_healthy" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].name == "server" && google_cloud_run_v2_service.this.template[0].containers[0].depends_on == tolist(["database-proxy"])
    error_message = "The server must depend on the proxy."
  }

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[1].name == "database-proxy" && google_cloud_run_v2_service.this.template[0].containers[1].startup_probe[0].http_get[0].path == "/startup" && google_cloud_run_v2_service.this.template[0].containers[1].startup_probe[0].http_get[0].port == 9090
    error_message = "The proxy must have a startup probe on its health-check port."
  }

  assert {
    condition     = length(setsubtract(["--health-check", "--http-port=9090", "--auto-iam-authn", "--address=127.0.0.1", "--max-sigterm-delay=8s", var.database_proxy.instance], google_cloud_run_v2_service.this.template[0].containers[1].args)) == 0
    error_message = "The proxy must listen on loopback, log in by IAM, answer probes on 9090 and outlive the server."
  }

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[2].depends_on == tolist(["server"])
    error_message = "The metrics sidecar must start after the server."
  }
}

run "the_port_speaks_h2c_and_the_probes_are_those_of_the_server" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].ports[0].name == "h2c" && google_cloud_run_v2_service.this.template[0].containers[0].ports[0].container_port == 8080
    error_message = "The server's port must be named h2c."
  }

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].startup_probe[0].http_get[0].path == "/readyz" && google_cloud_run_v2_service.this.template[0].containers[0].liveness_probe[0].http_get[0].path == "/healthz"
    error_message = "Startup asks /readyz, liveness /healthz."
  }

  assert {
    condition     = one([for env in google_cloud_run_v2_service.this.template[0].containers[0].env : env.value if env.name == "TAPE_LISTEN"]) == "0.0.0.0:8080"
    error_message = "The server must listen on the container's port, on all addresses."
  }

  assert {
    condition     = one([for env in google_cloud_run_v2_service.this.template[0].containers[0].env : env.value_source[0].secret_key_ref[0].version if env.name == "TAPE_STORE"]) == "3"
    error_message = "TAPE_STORE must come from Secret Manager, at the version given."
  }

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].resources[0].cpu_idle == false
    error_message = "The processor must be allocated between calls."
  }

  assert {
    condition     = google_cloud_run_v2_service.this.deletion_protection
    error_message = "Deletion protection must be on by default."
  }

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].vpc_access[0].egress == "PRIVATE_RANGES_ONLY"
    error_message = "Only private ranges go through the network."
  }

  assert {
    condition     = alltrue([for env in google_cloud_run_v2_service.this.template[0].containers[0].env : env.name != "TAPE_INSECURE_NO_AUTH"])
    error_message = "The server must authenticate its callers."
  }
}

run "the_proxy_of_cloud_sql_takes_the_private_address" {
  command = plan

  variables {
    database_proxy = { kind = "cloud-sql", instance = "acme:europe-west1:tape" }
  }

  assert {
    condition     = contains(google_cloud_run_v2_service.this.template[0].containers[1].args, "--private-ip") && startswith(google_cloud_run_v2_service.this.template[0].containers[1].image, "gcr.io/cloud-sql-connectors/")
    error_message = "Cloud SQL's proxy must be told to use the private address."
  }
}

run "without_a_proxy_nothing_is_waited_for" {
  command = plan

  variables {
    database_proxy = null
    metrics        = null
    network        = null
  }

  assert {
    condition     = length(google_cloud_run_v2_service.this.template[0].containers) == 1 && length(google_cloud_run_v2_service.this.template[0].containers[0].depends_on) == 0
    error_message = "There must be the server alone."
  }
}

run "ingress_is_internal" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_service.this.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    error_message = "Ingress must be internal by default."
  }
}

run "ingress_can_be_opened_to_a_load_balancer" {
  command = plan

  variables {
    ingress = "internal-and-load-balancer"
  }

  assert {
    condition     = google_cloud_run_v2_service.this.ingress == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    error_message = "A load balancer must be let in."
  }
}

run "ingress_cannot_be_opened_to_everyone" {
  command = plan

  variables {
    ingress = "all"
  }

  expect_failures = [var.ingress]
}

run "not_everyone_can_be_an_invoker" {
  command = plan

  variables {
    invokers = { everyone = "allUsers" }
  }

  expect_failures = [var.invokers]
}

run "a_server_authenticates_its_callers" {
  command = plan

  variables {
    auth = { mode = "none" }
  }

  expect_failures = [var.auth]
}

run "google_tokens_need_a_list_of_accounts" {
  command = plan

  variables {
    auth = { mode = "google" }
  }

  expect_failures = [var.auth]
}

run "another_issuer_can_be_trusted" {
  command = plan

  variables {
    auth = { mode = "jwt", issuer = "https://login.example.com", allowed = ["agent-7"], tenant = "acme" }
  }

  assert {
    condition = tomap({ for env in google_cloud_run_v2_service.this.template[0].containers[0].env : env.name => env.value if startswith(env.name, "TAPE_AUTH") }) == tomap({
      TAPE_AUTH          = "jwt"
      TAPE_AUTH_AUDIENCE = "https://tape.acme.internal"
      TAPE_AUTH_ALLOW    = "agent-7"
      TAPE_AUTH_TENANT   = "acme"
      TAPE_AUTH_ISSUER   = "https://login.example.com"
    })
    error_message = "The server must be told whose tokens it takes."
  }
}

run "tokens_come_from_secret_manager" {
  command = plan

  variables {
    auth = { mode = "token", tokens_secret = "tape-tokens" }
  }

  assert {
    condition     = one([for env in google_cloud_run_v2_service.this.template[0].containers[0].env : env.value_source[0].secret_key_ref[0].secret if env.name == "TAPE_TOKENS"]) == "tape-tokens"
    error_message = "TAPE_TOKENS must be read from the secret."
  }
}

run "a_stop_fits_into_what_cloud_run_waits" {
  command = plan

  variables {
    grace_ms = 15000
  }

  expect_failures = [var.grace_ms]
}

run "what_the_module_sets_cannot_be_undone" {
  command = plan

  variables {
    env = { TAPE_INSECURE_NO_AUTH = "true" }
  }

  expect_failures = [var.env]
}

run "an_image_has_a_version" {
  command = plan

  variables {
    image = "europe-west1-docker.pkg.dev/acme/tape/tape:latest"
  }

  expect_failures = [var.image]
}

run "a_proxy_needs_a_network" {
  command = plan

  variables {
    network = null
  }

  expect_failures = [var.network]
}
