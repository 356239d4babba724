/** What of `fetch` is needed. */
export type FetchService = (url: string, init: RequestInit) => Promise<Response>;

/** As `fetch` has it. */
const MOST_REDIRECTS = 20;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches without following redirects, unless `init.redirect` says otherwise. A redirect to another host (or port, or scheme) is followed
 * only without a body, and carries no header of the caller; one that is not followed is the response.
 * `mayFollow`: whether a host may be asked at all.
 */
export async function fetchWithin(
  fetch: FetchService,
  url: string,
  init: RequestInit,
  mayFollow: (host: string) => boolean,
): Promise<Response> {
  if (init.redirect !== 'follow') return fetch(url, { ...init, redirect: init.redirect ?? 'manual' });
  let at = new URL(url);
  let request: RequestInit = { ...init, redirect: 'manual' };
  for (let count = 0; ; count++) {
    const response = await fetch(at.href, request);
    const target = targetOf(response, at);
    if (target === null || count === MOST_REDIRECTS) return response;
    const next = requestBehind(request, response.status);
    const isElsewhere = target.origin !== at.origin;
    if (isElsewhere && (next.body != null || !mayFollow(hostOf(target)))) return response;
    // A stream was read by the request that it was sent with.
    if (next.body instanceof ReadableStream) return response;
    await response.body?.cancel();
    at = target;
    request = isElsewhere ? { ...next, headers: {} } : next;
  }
}

/** Null if the response is no redirect that can be followed. Credentials in it are dropped. */
function targetOf({ status, headers }: Response, from: URL): URL | null {
  const location = headers.get('location');
  if (!REDIRECTS.has(status) || location === null) return null;
  if (!URL.canParse(location, from.href)) return null;
  const target = new URL(location, from.href);
  if (!['http:', 'https:'].includes(target.protocol)) return null;
  target.username = '';
  target.password = '';
  return target;
}

/** A POST becomes a GET where `fetch` does so. */
function requestBehind(request: RequestInit, status: number): RequestInit {
  const method = (request.method ?? 'GET').toUpperCase();
  const becomesGet = status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST';
  if (!becomesGet) return request;
  const headers = new Headers(request.headers);
  for (const name of [
    'content-type',
    'content-length',
    'content-encoding',
    'content-language',
    'content-location',
  ])
    headers.delete(name);
  return { ...request, method: 'GET', body: null, headers };
}

/** Without the brackets of IPv6. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}
