variables {
  project = "acme"
  region  = "europe-west1"
  readers = { build = "serviceAccount:build@acme.iam.gserviceaccount.com" }
}

run "tags_do_not_move" {
  command = plan

  assert {
    condition     = google_artifact_registry_repository.this.docker_config[0].immutable_tags
    error_message = "Tags must be immutable."
  }

  assert {
    condition     = output.repository == "europe-west1-docker.pkg.dev/acme/tape" && google_artifact_registry_repository_iam_member.reader["build"].role == "roles/artifactregistry.reader"
    error_message = "The repository must be named as images are pushed, and readers only read."
  }
}
