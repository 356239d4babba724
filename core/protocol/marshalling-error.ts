/** Bytes that are not the record they should be. The connection may go on: the packet's end is known. */
export class MarshallingError extends Error {
  readonly code = 'MARSHALLING_ERROR';

  constructor(message: string) {
    super(message);
    this.name = 'MarshallingError';
  }
}
