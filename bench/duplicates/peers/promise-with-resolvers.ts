/** Node 20 has no `Promise.withResolvers`, which Restate's SDK wants. Imported before it. */
if (!("withResolvers" in Promise)) {
  Object.defineProperty(Promise, "withResolvers", {
    value: function withResolvers<T>(): object {
      let resolve: ((value: T) => void) | undefined;
      let reject: ((reason: unknown) => void) | undefined;
      const promise = new Promise<T>((onValue, onReason) => {
        resolve = onValue;
        reject = onReason;
      });
      return { promise, resolve, reject };
    },
  });
}
