{{/* The name of everything. */}}
{{- define "tape.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "tape.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "tape.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "tape.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What the Service and the others find pods by: never changes. */}}
{{- define "tape.selector" -}}
app.kubernetes.io/name: {{ include "tape.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tape.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "tape.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "tape.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "tape.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "tape.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* The Secret with the store's URL. */}}
{{- define "tape.storeSecret" -}}
{{- default (printf "%s-store" (include "tape.fullname" .)) .Values.store.secretName }}
{{- end }}

{{/* How many servers there are, where nothing scales them. */}}
{{- define "tape.replicas" -}}
{{- if eq .Values.store.kind "sqlite" }}1{{ else }}{{ kindIs "invalid" .Values.replicas | ternary 2 .Values.replicas | int }}{{ end }}
{{- end }}

{{/* Seconds that a pod has to stop: the sleep before, the server's own grace time, and a reserve. */}}
{{- define "tape.graceSeconds" -}}
{{- add .Values.server.preStopSeconds (div (add .Values.server.graceMs 999) 1000) 5 }}
{{- end }}
