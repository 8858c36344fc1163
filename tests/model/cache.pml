/* SPDX-License-Identifier: Apache-2.0
 * tests/model/cache.pml - model of the metadata cache protocol (DESIGN.md, "The cache protocol"; in the code
 * meta/cache*.c, meta/stamp*.c, invalidator/beat.c, apply.c): one region, one memcached server, one stamp page with
 * one slot, any number of invalidators of the region, a global database, one writer at a time, readers.
 * A fill is an unconditional set tagged "as of n" that may arrive at any time, so the model keeps no value at all: a
 * value found in memcached (or read from a replica) is as of ANY n up to now. No process but the writer and the readers
 * looks at the time; an invalidator may stand still between any two steps, memcached may lose the page or restart.
 * Checked: a reading that began after event n was acknowledged is never as of before the last event <= n of its slot.
 *   spin -a cache.pml && cc -w -O2 -DSAFETY -DREVERSE -DT_REVERSE -o pan pan.c && ./pan -E -m1000000
 * tests/model/run does it. As it stands it must pass, and with EVENTS=2 INVS=1.
 * Each knob (spin -D...) breaks one rule; the check must then fail: NOBEAT, ONEBEAT, NOCAS, NOID, OLDCONN, NOSTAMP,
 * NOWAIT, SHORTWAIT, ACKEARLY, ASKFIRST, PEERASK, KEEPANY. REACH must fail too: it shows that a trusted hit after an
 * acknowledged event does happen.
 * Beyond the design's own model: a beat whose CAS was refused because an event was applied meanwhile reads the page
 * again and goes on with the answer it has, as long as nobody has beaten or replaced the page since it was first read
 * (kept); KEEPANY lets it go on whatever happened. One that somebody else beat is raised through q, without a beat. */
#ifndef EVENTS
#define EVENTS 1
#endif
#ifndef TMAX
#define TMAX 4
#endif
#ifndef CHAOS
#define CHAOS 1
#endif
#ifndef READERS
#define READERS 1
#endif
#ifndef INVS
#define INVS 2
#endif
#define F 2                        /* a reader trusts what it saw less than F ticks ago */
#ifdef SHORTWAIT
#define W (F - 1)
#else
#define W F                        /* the writer's wait; in the field W = F and a margin for clock drift */
#endif
#define NEVER 255

byte now = 0;
byte clk = 0;                      /* the database's event clock */
byte lt[EVENTS + 1];               /* lt[e]: last event <= e that touches our slot */
byte acks = 0;                     /* the region has acknowledged through here */
byte acked = 0;                    /* highest event acknowledged to a writer */
bool page = false, fresh = false;  /* the stamp page is there; nobody has stamped it yet */
byte slot = 0;                     /* its stamp: last event of our slot */
bool held[INVS];                   /* invalidator i's CAS id is still the page's */
bool kept[INVS];                   /* page and beat are still those that i read before it asked */
byte s0[READERS], s1[READERS], s2[READERS]; /* when reader r last asked and saw this beat, one, two or more before it */
byte chaos_left = CHAOS;
#if defined(NOCAS) || defined(OLDCONN)
bool old[INVS];
#endif

inline max(a, b) { if :: b > a -> a = b :: else fi }
inline ack(e) { if :: e > acks -> acks = e :: else fi }
inline unhold() { for (k : 0 .. INVS - 1) { held[k] = false } k = 0 }
#ifdef KEEPANY
#define unkeep()
#else
inline unkeep() { for (k : 0 .. INVS - 1) { kept[k] = false } k = 0 }
#endif
inline forget() { for (k : 0 .. READERS - 1) { s0[k] = NEVER; s1[k] = NEVER; s2[k] = NEVER } k = 0 }
inline drop(x, s) { if :: x != NEVER && s >= x + F -> x = NEVER :: else fi }  /* too old to count, now and later */
inline next_beat() {               /* seen through the readers' eyes: what was this beat is now one before */
  for (k : 0 .. READERS - 1) {
    if :: s1[k] != NEVER -> s2[k] = s1[k] :: else fi;
    s1[k] = s0[k]; s0[k] = NEVER
  }
  k = 0
}
#ifdef ONEBEAT
#define SEEN(r) (s1[r] != NEVER -> s1[r] : s2[r])
#else
#define SEEN(r) s2[r]
#endif
#ifdef NOBEAT
#define TRUSTED(r, s) (page && !fresh)
#else
#define TRUSTED(r, s) (page && SEEN(r) != NEVER && s < SEEN(r) + F)
#endif

active proctype Time() { do :: now < TMAX -> now++ od }

active proctype Chaos() { byte k;
  do
  :: d_step { chaos_left > 0 && page -> page = false; fresh = false; slot = 0; chaos_left--;
#ifdef OLDCONN                     /* after a restart CAS ids begin again, and an old one fits the new page */
       for (k : 0 .. INVS - 1) { old[k] = held[k] } k = 0;
#endif
       unkeep();
       unhold()                    /* a restart ends every connection, and with it what was read on it */
     }
  od
}
active proctype Writer() { byte t0;
  do
  :: clk < EVENTS ->
     atomic {
       clk++; t0 = now;
       if :: lt[clk] = clk :: lt[clk] = lt[clk - 1] fi   /* it touches our slot, or another */
     }
#ifndef NOWAIT
     if :: acks >= clk :: now >= t0 + W fi;
#endif
     d_step { acked = clk; t0 = 0 }
  :: else -> break
  od
}
#if defined(NOCAS) || defined(OLDCONN)   /* a write of what was read before, with the news in it */
#ifdef NOCAS
#define MINE page
#else
#define MINE (page && (held[i] || old[i]))
#endif
#define READ mem = slot; mf = fresh; old[i] = false
#define LOAD slot = mem; fresh = mf; mem = 0; mf = false; old[i] = false;
#else                              /* while the CAS id is held, what was read is what is there */
#define MINE held[i]
#define READ skip
#define LOAD
#endif
proctype Invalidator(byte i) { byte q, k;
#if defined(NOCAS) || defined(OLDCONN)
  byte mem; bool mf;
#endif
  do
  :: clk > 0 ->                    /* apply: an event that was pushed, or fetched from a peer */
     atomic { if :: q = clk :: clk > 1 -> q = clk - 1 fi };
#ifdef ACKEARLY
     ack(q);
#endif
     do
     :: atomic { !page -> ack(q); q = 0; break }           /* no page: whoever makes one asks after that */
     :: atomic { page && slot >= lt[q] -> ack(q); q = 0; break } /* gets: it is there */
     :: d_step { page && slot < lt[q] -> held[i] = true; READ }; /* gets: it is missing */
        if
        :: d_step { MINE -> LOAD max(slot, lt[q]); unhold() } /* the CAS takes; no answer says so, the next gets shows it */
        :: !held[i]                                        /* it does not, or is lost */
        fi
     od
  ::                               /* beat: read the page, then ask, then CAS over what was read */
#ifdef ASKFIRST
     q = clk;
#endif
     if
     :: d_step { !page -> page = true; fresh = true;       /* add; beat 0, trusted by nobody */
#ifdef NOID
          next_beat(); next_beat()
#else
          forget()
#endif
        }
     :: page
     fi;
     if
     :: d_step { page -> held[i] = true; kept[i] = true; READ };           /* gets */
#ifdef PEERASK
        q = acks;                  /* a peer answers from its own memory instead of asking the database */
#endif
#if !defined(ASKFIRST) && !defined(PEERASK)
        q = clk;
#endif
        do
        :: d_step { MINE && kept[i] -> LOAD
             if :: fresh -> max(slot, q) :: else -> max(slot, lt[q]) fi;       /* fresh: every slot becomes q */
             fresh = false; next_beat(); ack(q); unhold(); unkeep(); kept[i] = false; q = 0 }
           break
        :: d_step { MINE && !kept[i] -> LOAD               /* somebody else's beat came first: through q, no beat */
             if :: fresh -> max(slot, q) :: else -> max(slot, lt[q]) fi;
             ack(q); unhold(); q = 0 }
           break
        :: d_step { !held[i] && page -> held[i] = true; READ }                 /* refused: read it again */
        :: atomic { !page -> ack(q); q = 0; kept[i] = false; break }
        :: atomic { q = 0; held[i] = false; kept[i] = false; break }           /* gives up */
        od
     :: d_step { !page -> q = 0 }
     fi
  od
}
proctype Reader(byte r) { byte A, s, st, n; bool ok;
  do
  :: d_step { A = acked; s = now; drop(s0[r], s); drop(s1[r], s); drop(s2[r], s) }; /* the request begins */
     d_step { ok = TRUSTED(r, s); st = slot; if :: page -> s0[r] = s :: else fi };   /* the multi-get's answer */
     if
     :: ok ->
        atomic { n = 0; do :: n < clk -> n++ :: break od };                    /* whatever lies in the cache */
        if
#ifndef NOSTAMP
        :: n < st                                        /* older than the stamp: a miss */
#endif
        :: else ->
           assert(n >= lt[A]);
#ifdef REACH
           assert(!(A == EVENTS && lt[A] == EVENTS))
#endif
        fi
     :: else                                             /* not trusted: the primary, as of now or later */
     fi;
     d_step { A = 0; s = 0; st = 0; n = 0; ok = false }
  od
}
init { byte k;
  atomic {
    forget();
    for (k : 0 .. INVS - 1) { run Invalidator(k) }
    for (k : 0 .. READERS - 1) { run Reader(k) }
    k = 0
  }
}
