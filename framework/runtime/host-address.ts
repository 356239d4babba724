import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';

/**
 * The address under which other machines most likely reach this one: the first external IPv4, else the first
 * external IPv6 that is not link-local, else the loopback.
 */
export function hostAddress(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>> = networkInterfaces(),
): string {
  const external = Object.values(interfaces)
    .flatMap((infos) => infos ?? [])
    .filter((info) => !info.internal);
  const found =
    external.find(({ family }) => family === 'IPv4') ??
    external.find(({ family, address }) => family === 'IPv6' && !/^fe[89ab]/i.test(address));
  return found?.address ?? '127.0.0.1';
}
