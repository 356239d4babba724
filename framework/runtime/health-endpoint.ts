import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ApplicationHealth } from '../health.js';

export interface HealthEndpointOptions {
  /** 0: any that is free; see `Application.healthPort`. */
  readonly port: number;
  /** All interfaces if left out. */
  readonly host?: string | undefined;
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

  /** Resolves when it listens; rejects with what the system says of the port. */
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
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
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
