import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { BadRequest, readJson, sendJson } from "./server.ts";

/** How long a job takes. */
const WORK_MS = 300;
/** Oldest jobs are forgotten beyond this many. */
const MOST_JOBS = 1000;

type Status = "IN_QUEUE" | "IN_PROGRESS" | "COMPLETED" | "CANCELLED";

interface Job {
  id: string;
  input: unknown;
  status: Status;
  output?: unknown;
}

/**
 * A job queue with the routes of Runpod's serverless endpoints, all in memory. A job's output is its input.
 * @returns a function that answers one request, given the path after the queue's own prefix, and tells
 *   whether the path was one of its routes
 */
export function createJobQueue() {
  const jobs = new Map<string, Job>();

  async function submit(request: IncomingMessage): Promise<Job> {
    const body = (await readJson(request)) as { input?: unknown } | undefined;
    if (body?.input === undefined) throw new BadRequest("input is required");
    const job: Job = { id: randomUUID(), input: body.input, status: "IN_QUEUE" };
    jobs.set(job.id, job);
    if (jobs.size > MOST_JOBS) jobs.delete(jobs.keys().next().value!);
    return job;
  }

  async function work(job: Job): Promise<void> {
    // A turn later, so that whoever submitted the job still sees it queued.
    await wait(0);
    if (job.status !== "IN_QUEUE") return;
    job.status = "IN_PROGRESS";
    await wait(WORK_MS);
    if (job.status !== "IN_PROGRESS") return;
    job.status = "COMPLETED";
    job.output = job.input;
  }

  function count(status: Status): number {
    return [...jobs.values()].filter((job) => job.status === status).length;
  }

  return async (path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const [action, id] = path.split("/") as [string, string?];
    const reply = (job: Job, more?: object) => {
      const { input: _, ...shown } = job;
      sendJson(response, 200, { ...shown, ...more });
    };

    if (id === undefined) {
      switch (`${request.method} ${action}`) {
        case "POST run": {
          const job = await submit(request);
          reply(job);
          void work(job);
          return true;
        }
        case "POST runsync": {
          const job = await submit(request);
          await work(job);
          reply(job);
          return true;
        }
        case "POST purge-queue": {
          const queued = [...jobs.values()].filter((job) => job.status === "IN_QUEUE");
          for (const job of queued) jobs.delete(job.id);
          sendJson(response, 200, { removed: queued.length, status: "completed" });
          return true;
        }
        case "GET health":
          sendJson(response, 200, {
            jobs: {
              completed: count("COMPLETED"),
              failed: 0,
              inProgress: count("IN_PROGRESS"),
              inQueue: count("IN_QUEUE"),
            },
            workers: { idle: 1, running: 0 },
          });
          return true;
        case "GET requests":
          sendJson(response, 200, { requests: [...jobs.values()].map(({ id, status }) => ({ id, status })) });
          return true;
      }
      return false;
    }

    const job = jobs.get(id);
    if (!["status", "status-sync", "stream", "cancel", "retry"].includes(action)) return false;
    if (job === undefined) {
      sendJson(response, 404, { error: "job not found" });
      return true;
    }
    switch (action) {
      case "status-sync":
        while (job.status === "IN_QUEUE" || job.status === "IN_PROGRESS") await wait(20);
        reply(job);
        return true;
      case "stream":
        reply(job, { stream: job.status === "COMPLETED" ? [{ output: job.output }] : [] });
        return true;
      case "cancel":
        if (job.status !== "COMPLETED") job.status = "CANCELLED";
        break;
      case "retry":
        delete job.output;
        job.status = "IN_QUEUE";
        void work(job);
        break;
    }
    reply(job);
    return true;
  };
}
