/** A URI with replacement fields, as Curator writes it. */
export interface UriSpec {
  readonly parts: readonly { readonly value: string; readonly variable: boolean }[];
}

/** One running instance of a service: the record that Curator's service discovery reads and writes. */
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
  readonly serviceType: 'DYNAMIC' | 'STATIC' | 'PERMANENT' | 'DYNAMIC_SEQUENTIAL';
  readonly uriSpec: UriSpec | null;
}

/** What is needed to register; everything else has a default (id: a random UUID). */
export interface NewServiceInstance<Payload = unknown> {
  readonly name: string;
  readonly id?: string | undefined;
  readonly address?: string | null | undefined;
  readonly port?: number | null | undefined;
  readonly sslPort?: number | null | undefined;
  /** Anything that JSON can carry. */
  readonly payload?: Payload | null | undefined;
  readonly uriSpec?: UriSpec | null | undefined;
}
