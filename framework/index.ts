/** Applications: decorators, lifecycle, configuration, services, leader jobs, queues. */
export {};
