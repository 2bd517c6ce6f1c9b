/** What dwell.js offers to a page. Times are milliseconds. */
export {};

declare global {
  interface Window {
    /** Set by dwell.js once it runs. */
    readonly dwell?: Dwell;
  }

  interface WindowEventMap {
    'dwell:viewing': ViewingEvent;
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
  /**
   * Looks at a player that is no element: to be called whenever it begins to play, pauses, seeks, waits for data, changes
   * its speed or ends; while it plays it is also looked at once a second. A seek of more than three seconds is seen by
   * itself. Elements, and whatever sends their events through the document, need no call.
   */
  notice(player: Player): void;
}

/** What is read of a player: an element has it all. */
export interface Player {
  /** `dwellVideo` names what it plays. */
  readonly dataset: { readonly [name: string]: string | undefined };
  /** The place, in seconds. */
  readonly currentTime: number;
  /** The length, in seconds; infinite, or absent, is a live stream, of which no place is told. */
  readonly duration?: number;
  /** The speed; 0 counts as a pause. */
  readonly playbackRate: number;
  readonly paused: boolean;
  readonly seeking?: boolean;
  readonly ended?: boolean;
  /** Below 3 it waits for data. */
  readonly readyState?: number;
  /** Without both, what plays in a hidden tab is not counted. */
  readonly muted?: boolean;
  readonly volume?: number;
  play(): unknown;
  pause(): unknown;
}

/** A player was paused: the account plays as many videos as it may. Sent to the window as `dwell:viewing`. */
export interface ViewingEvent extends CustomEvent<Viewing & StoppedPlayer & {
  readonly player: Player;
  /**
   * Plays here instead of another, by its id; without one, and when there is no room, what has played longest stops. When
   * there is no room after all, the event comes again with what plays then.
   */
  take(instead?: string): Promise<void>;
}> {}

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
  /** How long the video is; absent, as is the place, in a live stream. */
  mediaDuration?: number;
  rate?: number;
  /** Why it ended; absent while it is open. */
  end?:
    | 'hidden' | 'left' | 'page' | 'attention' | 'frozen' | 'asleep' | 'lost' | 'session'
    | 'paused' | 'sought' | 'rate' | 'ended' | 'stalled';
}

/** Which players must stop, where videos at once are limited. */
export interface Viewing {
  /** How many videos the account may play at once. */
  limit: number;
  stopped: StoppedPlayer[];
  /** What plays, the one that has played longest first. */
  playing: { id: string; video: string; deviceName: string; since: string }[];
}

export interface StoppedPlayer {
  tab: string;
  video: string;
  /** `limit`: as many as may be play elsewhere. `taken`: another player took its place. */
  reason: 'limit' | 'taken';
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
  /** Absent when no player must stop. */
  viewing?: Viewing;
}
