output "server_url" {
  description = "The server, as clients take it (TAPE_SERVER)."
  value       = one(module.server[*].server_url)
}

output "image" {
  description = "Where the server's image is to be pushed."
  value       = "${module.registry.repository}/tape:${var.tape_version}"
}
