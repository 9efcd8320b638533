/**
 * A target of Google Managed Service for Prometheus, as far as the chart uses it.
 * https://github.com/GoogleCloudPlatform/prometheus-engine/blob/main/doc/api.md#podmonitoring
 */
export interface IPodMonitoring {
  apiVersion: "monitoring.googleapis.com/v1";
  kind: "PodMonitoring";
  metadata: Metadata;
  spec: {
    selector: { matchLabels: Record<string, string> };
    endpoints: {
      port: string | number;
      path?: string;
      interval: string;
      scheme?: "http" | "https";
      tls?: { insecureSkipVerify?: boolean };
      authorization?: { type?: string; credentials: { secret: { name: string; key: string } } };
    }[];
  };
}

/** A Secret that External Secrets makes. https://external-secrets.io/latest/api/externalsecret/ */
export interface IExternalSecret {
  apiVersion: "external-secrets.io/v1";
  kind: "ExternalSecret";
  metadata: Metadata;
  spec: {
    refreshInterval?: string;
    secretStoreRef: { name: string; kind?: "SecretStore" | "ClusterSecretStore" };
    target: { name: string };
    data: { secretKey: string; remoteRef: { key: string; version?: string; property?: string } }[];
  };
}

interface Metadata {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
}
