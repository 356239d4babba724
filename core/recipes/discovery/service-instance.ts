/**
 * The record of a service instance, as JSON: the one that Curator's service discovery (and with it Spring Cloud
 * ZooKeeper) writes and reads. `enabled`, which Curator added later, is left out when writing, as Curator
 * itself does for the sake of older readers, and heeded when reading; unknown fields are ignored when reading.
 */
import { InvalidInstanceError } from '../errors.js';
import { checkSingleSegment } from '../nodes/znode-name.js';

/** A URI with replacement fields, as Curator writes it. */
export interface UriSpec {
  readonly parts: readonly { readonly value: string; readonly variable: boolean }[];
}

const SERVICE_TYPES = ['DYNAMIC', 'STATIC', 'PERMANENT', 'DYNAMIC_SEQUENTIAL'] as const;

/** One running instance of a service. */
export interface ServiceInstance<Payload = unknown> {
  readonly name: string;
  /** Unique among the instances of the service. */
  readonly id: string;
  readonly address: string | null;
  readonly port: number | null;
  readonly sslPort: number | null;
  readonly payload: Payload | null;
  /** Milliseconds since 1970. */
  readonly registrationTimeUTC: number;
  readonly serviceType: (typeof SERVICE_TYPES)[number];
  readonly uriSpec: UriSpec | null;
  /** False: it is there, but not to be used; some registrar other than this library said so. */
  readonly enabled: boolean;
}

/** What is needed to register; everything else has a default (id: a random UUID). */
export interface NewServiceInstance<Payload = unknown> {
  readonly name: string;
  readonly id?: string | undefined;
  readonly address?: string | null | undefined;
  readonly port?: number | null | undefined;
  readonly sslPort?: number | null | undefined;
  /** Anything that JSON can carry. A Java reader wants the class to be named in `@class`. */
  readonly payload?: Payload | null | undefined;
  readonly uriSpec?: UriSpec | null | undefined;
}

/** Fills in what was left out. Throws `InvalidInstanceError` or `InvalidNameError`. */
export function completeInstance<Payload>(
  instance: NewServiceInstance<Payload>,
  defaults: { readonly id: string; readonly registrationTimeUTC: number },
): ServiceInstance<Payload> {
  const id = instance.id ?? defaults.id;
  checkSingleSegment(instance.name, 'service');
  checkSingleSegment(id, 'service instance');
  for (const field of ['port', 'sslPort'] as const) {
    const port = instance[field];
    if (port === undefined || port === null || isPort(port)) continue;
    throw new InvalidInstanceError(instance.name, `${field} ${String(port)} is no port number (1 to 65535)`);
  }
  return {
    name: instance.name,
    id,
    address: instance.address ?? null,
    port: instance.port ?? null,
    sslPort: instance.sslPort ?? null,
    payload: instance.payload ?? null,
    registrationTimeUTC: defaults.registrationTimeUTC,
    serviceType: 'DYNAMIC',
    uriSpec: instance.uriSpec ?? null,
    enabled: true,
  };
}

/** Throws `InvalidInstanceError` if the payload is not for JSON. */
export function encodeInstance(instance: ServiceInstance): string {
  const { name, id, address, port, sslPort, payload, registrationTimeUTC, serviceType, uriSpec } = instance;
  try {
    return JSON.stringify({
      name,
      id,
      address,
      port,
      sslPort,
      payload,
      registrationTimeUTC,
      serviceType,
      uriSpec,
    });
  } catch (error) {
    throw new InvalidInstanceError(name, `its payload cannot be written as JSON (${String(error)})`);
  }
}

/** Null if the bytes are no such record. */
export function decodeInstance<Payload>(data: Uint8Array | null): ServiceInstance<Payload> | null {
  const record = parse(data);
  if (record === null) return null;
  const { name, id, address, port, sslPort, payload, registrationTimeUTC, serviceType, uriSpec } = record;
  if (typeof name !== 'string' || typeof id !== 'string') return null;
  return {
    name,
    id,
    address: typeof address === 'string' ? address : null,
    port: isPort(port) ? port : null,
    sslPort: isPort(sslPort) ? sslPort : null,
    payload: (payload ?? null) as Payload | null,
    registrationTimeUTC: typeof registrationTimeUTC === 'number' ? registrationTimeUTC : 0,
    serviceType: SERVICE_TYPES.find((type) => type === serviceType) ?? 'DYNAMIC',
    uriSpec: isUriSpec(uriSpec) ? uriSpec : null,
    enabled: record['enabled'] !== false,
  };
}

function parse(data: Uint8Array | null): Readonly<Record<string, unknown>> | null {
  if (data === null) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

function isUriSpec(value: unknown): value is UriSpec {
  if (typeof value !== 'object' || value === null) return false;
  const { parts } = value as { readonly parts?: unknown };
  return (
    Array.isArray(parts) &&
    parts.every(
      (part: unknown) =>
        typeof part === 'object' &&
        part !== null &&
        typeof (part as { value?: unknown }).value === 'string' &&
        typeof (part as { variable?: unknown }).variable === 'boolean',
    )
  );
}
