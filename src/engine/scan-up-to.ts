import type { ScanItem, ScanOptions, ScanPage, Store } from "../store/store.ts";

/**
 * The first items of a range, `limit` of them where there are as many: a page of the store may be shorter and yet not be
 * the last. Errors: STORE_UNAVAILABLE.
 */
export async function scanUpTo(store: Store, index: string, options: ScanOptions): Promise<ScanPage> {
  const items: ScanItem[] = [];
  for (let { after } = options; ;) {
    const page = await store.scan(index, { ...options, after, limit: options.limit - items.length });
    items.push(...page.items);
    if (page.next === undefined || items.length >= options.limit) return { ...page, items };
    after = page.next;
  }
}
