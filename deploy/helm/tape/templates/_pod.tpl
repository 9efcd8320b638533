{{/* The pod, the same for a Deployment and a StatefulSet. */}}
{{- define "tape.pod" -}}
metadata:
  labels:
    {{- include "tape.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "tape.serviceAccount" . }}
  # Workload Identity needs none, and Tape does not talk to Kubernetes.
  automountServiceAccountToken: false
  # Else a Service called tape would set TAPE_PORT and its like, among the names of settings.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "tape.graceSeconds" . }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- if .Values.alloydbProxy.enabled }}
  initContainers:
    # With this restart policy it is a sidecar: up before the server starts, and stopped after the server has.
    - name: alloydb-auth-proxy
      image: {{ .Values.alloydbProxy.image | quote }}
      restartPolicy: Always
      args:
        - --address=127.0.0.1
        - --port={{ int .Values.alloydbProxy.port }}
        - --health-check
        - --http-address=0.0.0.0
        - --http-port={{ int .Values.alloydbProxy.healthPort }}
        - --exit-zero-on-sigterm
        - --structured-logs
        {{- if .Values.alloydbProxy.autoIamAuthn }}
        - --auto-iam-authn
        {{- end }}
        {{- if eq .Values.alloydbProxy.ip "public" }}
        - --public-ip
        {{- else if eq .Values.alloydbProxy.ip "psc" }}
        - --psc
        {{- end }}
        - {{ .Values.alloydbProxy.instance | quote }}
      ports:
        - name: proxy-health
          containerPort: {{ int .Values.alloydbProxy.healthPort }}
      startupProbe:
        httpGet:
          path: /startup
          port: proxy-health
        periodSeconds: 1
        timeoutSeconds: 5
        failureThreshold: 60
      livenessProbe:
        httpGet:
          path: /liveness
          port: proxy-health
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      resources:
        {{- toYaml .Values.alloydbProxy.resources | nindent 8 }}
  {{- end }}
  containers:
    - name: tape
      image: {{ include "tape.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve]
      env:
        - name: TAPE_STORE
          {{- if eq .Values.store.kind "sqlite" }}
          value: sqlite:/data/tape.db
          {{- else if .Values.store.url }}
          value: {{ .Values.store.url | quote }}
          {{- else }}
          valueFrom:
            secretKeyRef:
              name: {{ include "tape.storeSecret" . }}
              key: {{ .Values.store.secretKey }}
          {{- end }}
        {{- if eq .Values.store.kind "spanner" }}
        - name: TAPE_SPANNER_EXPERIMENTAL
          value: "1"
        {{- end }}
        - name: TAPE_MIGRATE
          value: {{ .Values.store.migrate | quote }}
        - name: TAPE_LISTEN
          value: "0.0.0.0:{{ int .Values.server.port }}"
        - name: TAPE_AUTH
          value: {{ .Values.auth.mode }}
        {{- if eq .Values.auth.mode "token" }}
        - name: TAPE_TOKENS_FILE
          value: /etc/tape/tokens/tokens
        {{- else if eq .Values.auth.mode "none" }}
        - name: TAPE_INSECURE_NO_AUTH
          value: "true"
        {{- else }}
        {{- include "tape.idTokens" .Values.auth | nindent 8 }}
        {{- end }}
        {{- if .Values.tls.secretName }}
        - name: TAPE_TLS_CERT
          value: /etc/tape/tls/tls.crt
        - name: TAPE_TLS_KEY
          value: /etc/tape/tls/tls.key
        {{- end }}
        - name: TAPE_LOG
          value: json
        - name: TAPE_LOG_LEVEL
          value: {{ .Values.server.logLevel }}
        - name: TAPE_GRACE_MS
          value: {{ int .Values.server.graceMs | quote }}
        - name: TAPE_CACHE_BYTES
          value: {{ .Values.server.cacheBytes | quote }}
        - name: TAPE_MAX_BUFFERED_BYTES
          value: {{ .Values.server.maxBufferedBytes | quote }}
        {{- range $name, $value := .Values.server.settings }}
        - name: {{ $name }}
          value: {{ $value | quote }}
        {{- end }}
      ports:
        - name: grpc
          containerPort: {{ int .Values.server.port }}
      # Waits for the store, and for steps of its schema. Nothing else is asked before.
      startupProbe:
        httpGet:
          path: /readyz
          port: grpc
          scheme: {{ include "tape.scheme" . }}
        periodSeconds: 2
        timeoutSeconds: 4
        failureThreshold: 150
      # Says nothing about the store: a restart would not mend it.
      livenessProbe:
        httpGet:
          path: /healthz
          port: grpc
          scheme: {{ include "tape.scheme" . }}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet:
          path: /readyz
          port: grpc
          scheme: {{ include "tape.scheme" . }}
        periodSeconds: 5
        timeoutSeconds: 4
        failureThreshold: 2
      {{- if .Values.server.preStopSeconds }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ int .Values.server.preStopSeconds }}
      {{- end }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- if eq .Values.auth.mode "token" }}
        - name: tokens
          mountPath: /etc/tape/tokens
          readOnly: true
        {{- end }}
        {{- if .Values.auth.rulesConfigMapName }}
        - name: rules
          mountPath: /etc/tape/rules
          readOnly: true
        {{- end }}
        {{- if .Values.tls.secretName }}
        - name: tls
          mountPath: /etc/tape/tls
          readOnly: true
        {{- end }}
        {{- if eq .Values.store.kind "sqlite" }}
        - name: data
          mountPath: /data
        {{- end }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: 256Mi
    {{- if eq .Values.auth.mode "token" }}
    - name: tokens
      secret:
        secretName: {{ .Values.auth.tokensSecretName }}
        defaultMode: 288
        items:
          - key: {{ .Values.auth.tokensSecretKey }}
            path: tokens
    {{- end }}
    {{- with .Values.auth.rulesConfigMapName }}
    - name: rules
      configMap:
        name: {{ . }}
    {{- end }}
    {{- with .Values.tls.secretName }}
    - name: tls
      secret:
        secretName: {{ . }}
        defaultMode: 288
        items:
          - key: tls.crt
            path: tls.crt
          - key: tls.key
            path: tls.key
    {{- end }}
  {{- if ne .Values.store.kind "sqlite" }}
  topologySpreadConstraints:
    {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "tape.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Who is let in by ID tokens, as variables. */}}
{{- define "tape.idTokens" -}}
- name: TAPE_AUTH_AUDIENCE
  value: {{ join "," .audience | quote }}
{{- if .rulesConfigMapName }}
- name: TAPE_AUTH_RULES
  value: /etc/tape/rules/rules.json
{{- else }}
- name: TAPE_AUTH_ALLOW
  value: {{ join "," .allow | quote }}
- name: TAPE_AUTH_TENANT
  value: {{ .tenant | quote }}
- name: TAPE_AUTH_SCOPES
  value: {{ join "," .scopes | quote }}
{{- end }}
{{- if eq .mode "jwt" }}
- name: TAPE_AUTH_ISSUER
  value: {{ .issuer | quote }}
{{- with .jwksUrl }}
- name: TAPE_AUTH_JWKS_URL
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* How probes ask. */}}
{{- define "tape.scheme" -}}
{{- if .Values.tls.secretName }}HTTPS{{ else }}HTTP{{ end }}
{{- end }}
