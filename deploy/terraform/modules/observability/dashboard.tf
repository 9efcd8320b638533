locals {
  tiles = [
    { title = "Calls a second by method", query = "sum by (method) (rate(tape_rpc_duration_seconds_count{${local.selector}}[5m]))" },
    { title = "Calls a second that were not OK, by code", query = "sum by (code) (rate(tape_rpc_duration_seconds_count{${local.selector},code!=\"OK\"}[5m]))" },
    { title = "99 % of calls are faster than (s)", query = "histogram_quantile(0.99, sum by (le, method) (rate(tape_rpc_duration_seconds_bucket{${local.selector},method!~\"Subscribe.*|Watch.*\"}[5m])))" },
    { title = "Commits and conflicts a second", query = "sum by (__name__) (rate({__name__=~\"tape_engine_(commits|conflicts|unknown_outcomes)_total\",${local.selector}}[5m]))" },
    { title = "Needs a person", query = "max by (__name__) ({__name__=~\"tape_attention_(unknown_effects|stuck_runs|stuck_obligations)\",${local.selector}})" },
    { title = "Feed lag (s)", query = "max(tape_feed_lag_seconds{${local.selector}})" },
    { title = "Open streams, connections, calls under way", query = "sum by (__name__) ({__name__=~\"tape_rpc_streams|tape_connections|tape_rpc_in_flight\",${local.selector}})" },
    { title = "Memory by instance (bytes)", query = "max by (instance) (process_resident_memory_bytes{${local.selector}})" },
    { title = "Processor time by instance", query = "sum by (instance) (rate(process_cpu_seconds_total{${local.selector}}[5m]))" },
    { title = "Event loop delay, 99 % (s)", query = "max by (instance) (nodejs_eventloop_delay_p99_seconds{${local.selector}})" },
  ]
}

resource "google_monitoring_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  project = var.project

  dashboard_json = jsonencode({
    displayName = "Tape ${var.service}"
    mosaicLayout = {
      columns = 12
      tiles = [for index, tile in local.tiles : {
        xPos   = 6 * (index % 2)
        yPos   = 4 * floor(index / 2)
        width  = 6
        height = 4
        widget = {
          title = tile.title
          xyChart = {
            dataSets = [{
              plotType        = "LINE"
              timeSeriesQuery = { prometheusQuery = tile.query }
            }]
          }
        }
      }]
    }
  })
}
