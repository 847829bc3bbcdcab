/**
 * "offline": the server has not answered yet, or not lately. It never means
 * signed out; what was known, such as `user`, stays.
 */
export type State = "in" | "out" | "offline"

export interface User {
  readonly id: string
  readonly email: string
  readonly name?: string
  readonly verified: boolean
}

/**
 * What went wrong, in the same words everywhere. `code` is the named check
 * that failed, as docs/checks.md lists them, or one of these:
 *
 * - `insufficient_user_authentication`: the person is still signed in and
 *   must prove who they are again (RFC 9470)
 * - `server.reached`: the server did not answer
 * - `cookie.site`: page and server are different sites, so that the browser
 *   keeps the cookie back
 * - `return.own`: `returnTo` leads to another origin
 * - `http.STATUS`: an answer without a named check
 */
export interface AuthError extends Error {
  readonly name: "DoorwardError"
  readonly code: string
  /** What to do about it; may be empty. */
  readonly fix: string
  /** The reference to quote; may be empty. */
  readonly ref: string
}

export interface Options {
  /** The server's address, such as "https://auth.example.com". */
  issuer: string
  /**
   * Origins besides the page's own to which `fetch` adds the token. The
   * server's own must be listed to call it from another origin.
   */
  audiences?: string[]
  /**
   * Without effect: the session API knows the application by the origin of
   * its page, and its scope by its registration.
   */
  clientId?: string
  /** Without effect, like `clientId`. */
  scope?: string
}

/** One thing that this tab did, or heard of another tab. Never a token. */
export interface Exchange {
  at: string
  what: string
  outcome: string
  ref: string
}

export interface Auth {
  /** "offline" until `start` has settled. */
  readonly state: State
  /** Who is, or when offline was, signed in. */
  readonly user: User | null

  /**
   * Refreshes silently from the HttpOnly cookie, and from then on in good
   * time. Resolves also when the server cannot be reached. Rejects with
   * `cookie.site` when it can never work from here, and with
   * `insufficient_user_authentication`.
   */
  start(): Promise<void>

  /**
   * Calls back after each change of state, user or error; never while the
   * lock of the refresh is held. Returns how to stop that.
   */
  onChange(fn: (state: State, view: { state: State; user: User | null; error: AuthError | null }) => void): () => void

  /**
   * The browser's fetch, with the access token for the page's own origin and
   * for `audiences`; to any other address the request goes as it is. A 401 is
   * tried once more after a refresh. Rejects with an AuthError when fresh
   * proof is asked for, or when a token is needed and the server cannot be
   * reached; else as fetch does.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>

  /** Leaves for the sign-in page, which leads back to exactly that address of this origin. */
  signIn(options?: { returnTo?: string | URL }): void

  /**
   * Ends the session, and tells the other tabs. Rejects, changing nothing,
   * when the server cannot be reached.
   */
  signOut(): Promise<void>

  /** Prints the last ten exchanges of this tab to the console, and returns them. */
  explain(): Exchange[]
}

export function createAuth(options: Options): Auth
