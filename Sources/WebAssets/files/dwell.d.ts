/** What dwell.js offers to a page. Times are milliseconds. */
export {};

declare global {
  interface Window {
    /** Set by dwell.js once it runs. */
    readonly dwell?: Dwell;
  }

  /** `<session-heartbeat interval="60000" debug>`: the same options as the script's own attributes. */
  interface HTMLElementTagNameMap {
    'session-heartbeat': HTMLElement;
  }
}

export interface Dwell {
  /** The version of this interface. */
  readonly version: 2;
  /**
   * Tells the server now what it does not know yet. Resolves when it has answered, or could not be reached. While the
   * server asks for silence (`Retry-After`), or knows nobody here, nothing is sent before its time.
   */
  flush(): Promise<void>;
  /**
   * From now on segments belong to the session that a token names; without one, as after a logout, to the session of
   * the cookies, if there is one. What was seen before stays as it was. A cookie that names another session wins.
   * @param token The `token` of an answer of `/api/verify-temp-access` or `/session/init`
   */
  identify(token?: string): Promise<void>;
}

/** Attributes of the script, with `data-` before their names, or of `<session-heartbeat>`. */
export interface Options {
  /** The time between two beats, at least 1,000; without it the server's word counts. */
  interval?: number;
  /** After so long without input a person counts as idle; 60,000 without it. */
  idle?: number;
  /** Names the session, as `identify` does: for pages on another origin. */
  token?: string;
  /** Logs every beat and its answer to the console. */
  debug?: boolean;
}

/** The body of `POST /api/session-heartbeat`. */
export interface Beat {
  v: 1;
  /** The client's clock when the beat left. */
  sentAt: number;
  token?: string;
  /** The time until the next beat, when it is not the server's. */
  interval?: number;
  segments: Segment[];
}

/** One uninterrupted stretch of attention. */
export interface Segment {
  /** Names the tab; `n` counts its segments. */
  tab: string;
  n: number;
  from: number;
  to: number;
  attention: 'active' | 'idle';
  /** The page's path. */
  page?: string;
  /** The value of `data-dwell-video`. */
  video?: string;
  mediaFrom?: number;
  mediaTo?: number;
  rate?: number;
  /** Why it ended; absent while it is open. */
  end?:
    | 'hidden' | 'left' | 'page' | 'attention' | 'frozen' | 'asleep' | 'lost' | 'session'
    | 'paused' | 'sought' | 'rate' | 'ended' | 'stalled';
}

/** The answer to a beat that was stored. */
export interface Answer {
  success: true;
  /** The time until the next beat. */
  interval: number;
  /** The server's clock. */
  time: number;
  /** Names the session that new segments belong to, where it is another one than the beat's. */
  token?: string;
}
