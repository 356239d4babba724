const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i;

/** Whether a host, as it stands in an address, is this machine and can only be reached from it. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}
