/** When something that was fetched came, and how long it is good, in milliseconds since 1970. */
export interface Perishable {
  readonly fetchedAt: number;
  readonly expiresAt: number;
}

/** Keeps the last endpoint fetched and renews it, without a timer: only when somebody asks. */
export interface EndpointCache<E extends Perishable> {
  /** Errors: those of fetching, when there is nothing else to give. */
  get(): Promise<E>;
  /** Connecting with this one failed: it may have moved, or have other certificates now. */
  distrust(endpoint: E): void;
}

/** One that ends sooner is not given out: the handshake would pass and the first read fail. */
const reserveMs = 60_000;
/** The least time between two fetches when something goes wrong: the API has a quota. */
const pauseMs = 30_000;

/**
 * A cache with at most one fetch under way. From half of its life on, an endpoint is renewed while it is still given
 * out, so that an outage of the API stops nobody for that long.
 */
export function endpointCache<E extends Perishable>(fetchOne: () => Promise<E>, now: () => number): EndpointCache<E> {
  let current: E | undefined;
  let distrusted = false;
  let underWay: Promise<E> | undefined;
  let begunAt = 0;

  const renew = (): Promise<E> => {
    begunAt = now();
    underWay ??= fetchOne()
      .then((endpoint) => {
        current = endpoint;
        distrusted = false;
        return endpoint;
      })
      .finally(() => {
        underWay = undefined;
      });
    return underWay;
  };

  return {
    async get() {
      if (current === undefined) return await (underWay ?? renew());
      const at = now();
      const fresh = at - current.fetchedAt < pauseMs;
      // A fresh one is taken even if it seems to have expired: then this machine's clock is wrong.
      if (fresh) return current;
      if (distrusted || at >= current.expiresAt - reserveMs) return await (underWay ?? renew());
      const halfway = (current.fetchedAt + current.expiresAt) / 2;
      if (at >= halfway && at - begunAt >= pauseMs && underWay === undefined) {
        // It failed: the one at hand is still good, and the next call after a pause tries again.
        renew().catch(() => undefined);
      }
      return current;
    },
    distrust(endpoint) {
      if (endpoint === current) distrusted = true;
    },
  };
}
