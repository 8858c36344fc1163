/* SPDX-License-Identifier: Apache-2.0
 * tests/model/renewal.pml - model of "a lost region taxes one writer, not all" (DESIGN.md, "The cache protocol"; in the
 * code sql/global/0003-renewals.sql, invalidator/source.c, meta/change.c): one region, one question of it at a time
 * (ASKS=2 takes longer than a quarter of an hour and was never finished; each trust comes of one question alone), two writers, a failover that loses what the standby has not got. cache.pml has the stamp pages; here the region
 * is only what follows from them: it believes what is as of n for F after it began to ask (a beat's question is younger
 * than the sight that trust counts from), and it may apply an event that is pushed, at any time or never.
 *   a question  the region begins to ask; a source commits renewal + 1; in a later transaction it reads the clock; the
 *               answer arrives. Any time may pass between, and a failover may come between.
 *   a writer    commits; looks at renewal and mark; does not wait when the region is marked; else waits for its
 *               acknowledgement, for a mark, or for W since the commit. W after the look: when renewal and epoch still are
 *               what it saw, it marks the region: mark = (that number, that epoch).
 *   marked      mark = (renewal, epoch) as they are now.
 * Checked: a reading that began after event e was acknowledged to its writer and that is trusted is as of e or later.
 * Each knob (spin -D...) breaks one rule; the check must then fail: ASKFIRST (the clock is read before the renewal is
 * committed), MARKANY (marks whatever number is there now), LOOKFIRST (a writer looks before its commit and skips by that),
 * MARKKEPT (a mark holds over a new epoch), MARKLATE (the mark takes the epoch of now, not that of the look), MARKSOON
 * (does not wait for W), NOTDURABLE (renewals are committed without fsync), LOOKLATE (W counts from the commit, and the look comes later). REACH must fail too: it shows that
 * a writer skips, and that a trusted reading as of its event follows. */
#ifndef TMAX
#define TMAX 2
#endif
#ifndef ASKS
#define ASKS 1
#endif
#ifndef FAILOVERS
#define FAILOVERS 1
#endif
#define WRITERS 2
#ifndef RENEWALS
#define RENEWALS 2                 /* so many, then the region is silent */
#endif
#ifndef F
#define F 1                        /* the region trusts for F after it began to ask */
#endif
#define W F                        /* in the field W = F and a margin for clock drift */
#define NEVER 255

byte now = 0;
byte clk = 0, epoch = 1;           /* the primary: event clock, epoch, */
byte renewal = 0;                  /* how often the region has asked, */
byte mark = NEVER, mark_epoch = 0; /* and at which number, in which epoch, a writer found that it holds no trust */
byte s_renewal = 0;                /* the standby: what it has got of these */
byte s_mark = NEVER, s_mark_epoch = 0;
byte n = 0, began = NEVER;         /* the region: n is in its pages, and acknowledged; when it began to ask */
byte acked = 0;                    /* the highest event acknowledged to a writer */
bool failed_over = false;
bool skipped = false;

#ifdef MARKKEPT
#define MARKED (mark == renewal)
#else
#define MARKED (mark == renewal && mark_epoch == epoch)
#endif
#define TRUSTED(s) (began != NEVER && s < began + F)

active proctype Time() { do :: now < TMAX -> now++ od }

#ifdef NOTDURABLE                  /* a crash loses what was committed, and nothing tells */
#define NEW_EPOCH skip
#else
#define NEW_EPOCH epoch++
#endif
#if FAILOVERS
active proctype Standby() {
  do
  :: d_step { !failed_over && (s_renewal != renewal || s_mark != mark) ->
       s_renewal = renewal; s_mark = mark; s_mark_epoch = mark_epoch }
  :: d_step { !failed_over ->      /* the old primary is fenced; all the events had come over, or nobody was told of them */
       failed_over = true; renewal = s_renewal; mark = s_mark; mark_epoch = s_mark_epoch; NEW_EPOCH;
       s_renewal = 0; s_mark = NEVER; s_mark_epoch = 0 }
     break
  od
}
#endif
proctype Ask() { byte a, q;
  do
  :: d_step { renewal < RENEWALS -> a = now };
#ifdef ASKFIRST
     q = clk;
     renewal++;
#else
     renewal++;
     q = clk;
#endif
     if
     :: d_step {
          if :: q > n -> n = q :: else fi;
          if :: began == NEVER || a > began -> began = a :: else fi }
     :: skip                       /* the answer is lost */
     fi;
     d_step { a = 0; q = 0 }
  od
}
active proctype Apply() {          /* an event is pushed */
  do
  :: d_step { n < clk -> n++ }
  od
}
#ifdef MARKSOON
#define WAITED(t) true
#else
#define WAITED(t) (now >= t + W)
#endif
inline look() { r = renewal; ep = epoch; marked = MARKED; t_look = now }
inline tell() { if :: e > acked -> acked = e :: else fi; e = 0; t = 0 }
proctype Writer() { byte e, r, ep, t, t_look; bool marked;
#ifdef LOOKFIRST
  d_step { look() };
#endif
  d_step { clk++; e = clk; t = now };                    /* COMMIT has returned */
#ifndef LOOKFIRST
  d_step { look() };
#endif
#ifdef LOOKLATE
  t_look = t;
#endif
  if
  :: d_step { marked -> tell(); skipped = true }         /* holds no trust: not waited for */
  :: d_step { n >= e -> tell() }                         /* has acknowledged */
  :: d_step { MARKED -> tell() }                         /* by another writer: it looks again now and then */
  :: d_step { !marked && WAITED(t) -> tell() };
     if
     :: skip
#ifdef MARKANY
     :: WAITED(t_look) && renewal == r && epoch == ep -> d_step { mark = renewal; mark_epoch = epoch }
#elif defined(MARKLATE)
     :: d_step { WAITED(t_look) && renewal == r -> mark = r; mark_epoch = epoch }
#else
     :: d_step { WAITED(t_look) && renewal == r && epoch == ep -> mark = r; mark_epoch = ep }
#endif
     fi
  fi;
  d_step { r = 0; ep = 0; t_look = 0; marked = false }
}
active proctype Reader() { byte A, s;
  do
  :: d_step { A = acked; s = now };                      /* the request begins */
     d_step {
       if
       :: TRUSTED(s) ->
          assert(n >= A);
#ifdef REACH
          assert(!(skipped && A == WRITERS))
#endif
       :: else                                           /* the primary */
       fi;
       A = 0; s = 0 }
  od
}
init { byte k;
  atomic {
    for (k : 1 .. ASKS) { run Ask() }
    for (k : 1 .. WRITERS) { run Writer() }
    k = 0
  }
}
