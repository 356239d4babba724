import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QuorateError } from '../../core/runtime/index.js';
import type { ApplicationHealth } from '../health.js';

export interface HealthEndpointOptions {
  /** 0: any that is free; see `Application.healthPort`. */
  readonly port: number;
  /** All interfaces if left out. */
  readonly host?: string | undefined;
}

function listenFailed(port: number, host: string | undefined, cause: Error): QuorateError {
  const where = host === undefined ? `port ${port}` : `${host}:${port}`;
  const { code } = cause as NodeJS.ErrnoException;
  const why = code === 'EADDRINUSE' ? 'another process uses it' : cause.message;
  return new QuorateError(
    'LISTEN_FAILED',
    `Cannot answer /livez and /readyz at ${where}: ${why}. Give another health.port, or 0 for any that is free.`,
    { fields: { port, host }, cause },
  );
}

/**
 * Answers `GET /livez` and `GET /readyz` with 200 or 503 and the health as JSON. It answers as long as the process runs, so
 * that a draining application is seen to be not ready.
 */
export class HealthEndpoint {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Resolves when it listens. Rejects with a `QuorateError` `LISTEN_FAILED` that names the port and what the system says of it. */
  static async listen(
    { port, host }: HealthEndpointOptions,
    health: () => Promise<ApplicationHealth>,
  ): Promise<HealthEndpoint> {
    const server = createServer((request, response) => {
      const path = request.url?.split('?', 1)[0];
      if (
        (request.method !== 'GET' && request.method !== 'HEAD') ||
        (path !== '/livez' && path !== '/readyz')
      ) {
        response.writeHead(404).end();
        return;
      }
      void health().then((found) => {
        const isWell = path === '/livez' ? found.isLive : found.isReady;
        response.writeHead(isWell ? 200 : 503, { 'content-type': 'application/json' });
        response.end(JSON.stringify(found));
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenFailed(port, host, error)));
      server.listen(port, host, () => {
        server.removeAllListeners('error');
        resolve();
      });
    });
    return new HealthEndpoint(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
