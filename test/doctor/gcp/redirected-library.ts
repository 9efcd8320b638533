import { GoogleAuth, gaxios, type GoogleAuthOptions } from "google-auth-library";

/**
 * Google's library as it is, but for the address at which it gets its tokens: that one is fixed in its code, whatever a key
 * file names.
 */
export function redirectedLibrary(tokenUrl: string): () => Promise<unknown> {
  class RedirectedAuth extends GoogleAuth {
    constructor(options: GoogleAuthOptions) {
      const transporter = new gaxios.Gaxios();
      transporter.interceptors.request.add({
        resolved: (config) => {
          if (config.url.href === "https://oauth2.googleapis.com/token") {
            config.url = new URL(tokenUrl);
            config.retryConfig = { ...config.retryConfig, maxRetryDelay: 1 };
          }
          return Promise.resolve(config);
        },
      });
      super({ ...options, clientOptions: { transporter } });
    }
  }
  return () => Promise.resolve({ GoogleAuth: RedirectedAuth });
}
