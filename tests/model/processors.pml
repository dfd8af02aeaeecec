/* SPDX-License-Identifier: Apache-2.0
 *
 * The processors of a TD from their arrival to what they are woken for, with all that the VMM can do
 * between any two of their steps: stop one and go on with another (every interleaving is searched),
 * let one arrive late or never, answer any APIC ID, and take the mailbox's page away and put a new one
 * there [TDX module: TDH.MEM.RANGE.BLOCK, TDH.MEM.PAGE.REMOVE, TDH.MEM.PAGE.AUG]. A new page is
 * PENDING: an access ends the TD, acceptance makes it zero and the TD's.
 *
 * Each step of the model that stands for code names it:
 *   [P] resetvector/processors.asm   [C] shim/platform/td/processors.cpp   [R] payload/runtime/processors.cpp
 * The operating system is that of [R], which withdraws commands that nobody takes; Linux never does. It
 * may send processors back, and ask whether one has come.
 *
 * -DOTHERS=n     processors beside the first
 * -DWORKING_TWICE the first one calls the others twice
 * -DSENDING_BACK every processor may be sent back, once, and be sent a second command; the second, or
 *                the only one, may be a test
 * -DTOLD_EACH_TIME with it, as it was: who comes back is told its APIC ID anew, and two may have one
 * -DFIRST_UNCLAIMED as it was: the first processor's APIC ID is not written down, and another may be
 *                told it
 * -DACCEPTING    the protocol as it was: every processor accepts the mailbox's page, and the count of
 *                those in the shim stands there beside the phase; with -DHAND_OVER_ALONE and
 *                -DWAKEUP_ALONE of the properties only (b), only (c) to (f)
 *
 * Properties, as assertions: (a) no page is accepted twice; (b) at the hand-over nobody is in the shim;
 * (c) a command is taken once, (d) by a processor that was told this APIC ID, (e) with the vector that
 * was written with it, (f) never after it was withdrawn, (g) by nobody while the processor that was
 * woken for this APIC ID has not come back, and (h) by nobody for the first one, which is not waiting.
 */
#ifndef OTHERS
#define OTHERS 2
#endif

#ifdef HAND_OVER_ALONE
#define hold_acceptance(property) assert(true)
#define hold_hand_over(property) assert(property)
#define hold_wakeup(property) assert(true)
#else
#ifdef WAKEUP_ALONE
#define hold_acceptance(property) assert(true)
#define hold_hand_over(property) assert(true)
#define hold_wakeup(property) assert(property)
#else
#define hold_acceptance(property) assert(property)
#define hold_hand_over(property) assert(property)
#define hold_wakeup(property) assert(property)
#endif
#endif

#ifndef ACCEPTING
#ifndef TOLD_EACH_TIME
#define CLAIMS
#if OTHERS > 2
#ifndef SENDING_BACK
#define CLAIMS_IN_ONE_STEP /* or there are too many states */
#endif
#endif
#endif
#endif

#define WAIT 0
#define PARK 1
#define WORK 2        /* and one more for each time that there is some */

#define WAKEUP 1
#define TEST 2

/* The mailbox's page. */
bool pending;
byte phase, joined;          /* of mailbox_state */
byte command, apic_id, vector;
bool locked;                 /* mailbox_claims_lock */
byte claims[OTHERS + 1];     /* of mailbox_claims */
#ifdef ACCEPTING
byte accepted;
#endif

bool ended;                  /* the TD is no more */
bool in_shim[OTHERS + 1];
byte told[OTHERS + 1];       /* APIC IDs, by the VMM */
bool sent_back[OTHERS + 1];
bool handed_over;

/* What the operating system knows of its commands: the one that stands, by number, and for whom. */
byte issued, taken;
byte issued_id, vector_of_issued;
byte woken[OTHERS + 1];      /* by APIC ID: the processor that took its wakeup and has not come back */

/* An access to a page that is pending ends the TD; nobody goes on then. */
#define touch  atomic { if :: pending -> ended = true :: else fi }; !ended

inline vmm_takes_the_page_away() {
  atomic {
    if :: !ended -> pending = true :: else fi
  }
}

#ifdef ACCEPTING
inline accept() {
  atomic {
    if
    :: pending ->
       accepted++;
       hold_acceptance(accepted <= 1);                 /* (a) */
       pending = false; phase = WAIT; joined = 0; command = 0; apic_id = 0; vector = 0
    :: else                                            /* PAGE_ALREADY_ACCEPTED */
    fi
  }
}
#endif

#ifdef SENDING_BACK
#define COMMANDS 2
#else
#define COMMANDS 1
#endif

active proctype first() {
  byte next, number, turn;
#ifdef ACCEPTING
  accept();
#endif
  /* [C] claim_apic_id: an ID that nobody has, or that of another. */
  atomic { !ended; if :: told[0] = OTHERS + 1 :: told[0] = 1 fi }
#ifndef FIRST_UNCLAIMED
  touch;
  atomic { !ended; claims[0] = told[0] }
#endif
  touch;
  atomic { !ended; phase = WORK }                      /* [C] run_on_all_processors */
  touch;
#ifdef ACCEPTING
  atomic { !ended; phase = WAIT }
  touch;
  !ended && joined == 0;
  touch;
  atomic { !ended; phase = PARK }
  touch;
  !ended && joined == 0;
#else
  atomic { !ended; phase = WAIT }                      /* [C] close_phase_of_work */
  touch;
  atomic { !ended && phase == WAIT && joined == 0 }    /* [C] wait_until_alone */
#ifdef WORKING_TWICE
  for (next : 1 .. OTHERS) { hold_hand_over(!in_shim[next]) } /* as at the hand-over */
  touch;
  atomic { !ended && phase == WAIT && joined == 0; phase = WORK + 1 } /* [C] change_phase */
  touch;
  atomic { !ended; phase = WAIT }
  touch;
  atomic { !ended && phase == WAIT && joined == 0 }
#endif
  touch;
  atomic { !ended && phase == WAIT && joined == 0; phase = PARK } /* [C] park_processors */
#endif
  atomic {
    handed_over = true;
    for (next : 1 .. OTHERS) { hold_hand_over(!in_shim[next]) } /* (b) */
  }
  /* [R] wake(): one processor after the other, each command with a vector of its own. */
  for (next : 1 .. OTHERS) { for (turn : 1 .. COMMANDS) {
    touch;
    atomic { !ended; apic_id = next; number++ }
    touch;
    atomic { !ended; vector = number; vector_of_issued = number; issued_id = next }
    touch;
    if
    :: atomic { !ended; command = WAKEUP; issued = number }
#ifdef SENDING_BACK
    :: atomic { !ended && turn == COMMANDS; command = TEST; issued = number }
#endif
    fi;
    if
    :: atomic { !ended && command == 0 }               /* acknowledged */
    :: atomic { !ended && command != 0 -> command = 0; issued = 0 } /* [R] withdraw() */
    fi;
    /* Acknowledged, it is waited for until it is done. */
    if :: atomic { issued == 0 } :: atomic { issued != 0 && taken == number -> issued = 0 } fi
  } }
}

proctype other(byte index) {
  byte seen_command, seen_id, seen_vector, i;
  byte last;                                           /* EBX: the phase of work in which it was last */
  bool is_taken;
#ifdef ACCEPTING
  accept();
#endif
wait_for_first:                                        /* [P] wait_for_first */
  touch;
#ifdef ACCEPTING
  if
  :: atomic { !ended && phase == PARK } -> goto park
  :: atomic { !ended && phase == WORK } -> skip
  fi;
  touch;
  atomic { !ended; joined++ }
  touch;
  if
  :: atomic { !ended && phase == WORK -> in_shim[index] = true }
  :: atomic { !ended && phase != WORK } -> goto leave_shim
  fi;
#else
  if
  :: atomic { !ended && phase == PARK -> last = 0 } -> goto park
  :: atomic { !ended && phase >= WORK && phase > last -> joined++; in_shim[index] = true; last = phase }
                                                       /* lock cmpxchg */
  fi;
#endif
  skip;                                                /* at work in the shim */
  atomic { !ended; in_shim[index] = false }            /* [P] leave_shim, tables of the image again */
#ifdef ACCEPTING
leave_shim:
#endif
  touch;
  atomic { !ended; joined-- }
#ifndef ACCEPTING
  goto wait_for_first;
#else
  touch;
  !ended && phase == PARK;
#endif
park:
#ifdef CLAIMS
#ifndef CLAIMS_IN_ONE_STEP
  touch;
  if                                                   /* [P] park */
  :: atomic { !ended && claims[index] != 0 -> told[index] = claims[index] } -> goto poll
  :: atomic { !ended && claims[index] == 0 }
  fi;
#endif
#endif
  /* [P] park: the VMM answers CPUID 0xB as it likes. */
  atomic { !ended; if :: told[index] = index :: told[index] = 1 :: told[index] = OTHERS fi }
#ifdef CLAIMS
  touch;
#ifdef CLAIMS_IN_ONE_STEP
  /* Under the lock nobody else sees any of it. */
  atomic {
    !ended;
    is_taken = false;
    for (i : 0 .. OTHERS) { if :: claims[i] != 0 && claims[i] == told[index] -> is_taken = true :: else fi }
    i = 0;
    if :: is_taken -> is_taken = false; goto done :: else -> claims[index] = told[index] fi
  }
#else
  atomic { !ended && !locked -> locked = true }        /* [P] .wait_for_lock */
  touch;
  atomic {                                             /* [P] .look: nobody else writes them meanwhile */
    !ended;
    is_taken = false;
    for (i : 0 .. OTHERS) { if :: claims[i] != 0 && claims[i] == told[index] -> is_taken = true :: else fi }
    i = 0
  }
  touch;
  if
  :: atomic { !ended && is_taken -> locked = false } -> goto done /* [P] never_woken */
  :: atomic { !ended && !is_taken -> claims[index] = told[index] }
  fi;
  touch;
  atomic { !ended; locked = false }
#endif
#endif
poll:                                                  /* [P] .poll */
  touch;
#ifdef ACCEPTING
  atomic { !ended && command == 1 && apic_id == told[index]; seen_id = apic_id }
  touch;
  atomic { !ended; seen_vector = vector }
  touch;
  atomic {
    if
    :: !ended && command == 1 -> command = 0
    :: else -> goto poll
    fi;
    goto awake
  }
awake:
#else
  /* Two reads, and a comparison of all that was read in the step that acknowledges. */
  atomic { !ended && command != 0 && apic_id == told[index]; seen_command = command; seen_id = apic_id }
  touch;
  atomic { !ended; seen_vector = vector }
  touch;
  if
  :: atomic { !ended && command == seen_command && apic_id == seen_id && vector == seen_vector -> command = 0 }
  :: atomic { !ended && !(command == seen_command && apic_id == seen_id && vector == seen_vector) } -> goto poll
  fi;
#endif
  atomic {
    hold_wakeup(handed_over);
    hold_wakeup(issued != 0);                          /* (f) */
    hold_wakeup(taken != issued);                      /* (c) */
    hold_wakeup(told[index] == issued_id);             /* (d) */
    hold_wakeup(seen_vector == vector_of_issued);      /* (e) */
    hold_wakeup(woken[issued_id] == 0);                /* (g) */
    hold_wakeup(told[0] != issued_id);                 /* (h) */
    taken = issued
#ifdef SENDING_BACK
    ;
    if
    :: seen_command == TEST -> goto poll
    :: seen_command == WAKEUP -> woken[issued_id] = index
    fi
  }
  if
  :: skip                                              /* the operating system keeps it */
  :: atomic { !sent_back[index] -> sent_back[index] = true }
     /* [P] wakeup_reset: however long it takes, until it polls no stack of the system's is its own. */
     atomic { !ended; woken[told[index]] = 0 } -> goto park
  fi
#else
  }
#endif
done:
  skip
}

init {
  byte index;
#ifdef ACCEPTING
  atomic { pending = true }                            /* not among the pages that the VMM adds */
#endif
  atomic {
    for (index : 1 .. OTHERS) {
      if :: run other(index) :: skip /* never comes */ fi
    }
  }
  /* The VMM may take the page away at any moment, more than once. */
  do
  :: vmm_takes_the_page_away()
  :: break
  od
}
