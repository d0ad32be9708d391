	switch (t->back) {
	default: Uerror("bad return move");
	case  0: goto R999; /* nothing to undo */

		 /* PROC :init: */

	case 3: // STATE 1
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 4: // STATE 2
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 5: // STATE 3
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 6: // STATE 4
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 7: // STATE 6
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC Reader */

	case 8: // STATE 2
		;
		((P3 *)_this)->until = trpt->bup.ovals[1];
		((P3 *)_this)->was_over = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 9: // STATE 4
		;
	/* 0 */	((P3 *)_this)->until = trpt->bup.oval;
		;
		;
		goto R999;

	case 10: // STATE 7
		;
		((P3 *)_this)->word = trpt->bup.oval;
		;
		goto R999;

	case 11: // STATE 8
		;
		((P3 *)_this)->payload = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 13: // STATE 11
		;
		((P3 *)_this)->at = trpt->bup.ovals[1];
	/* 0 */	((P3 *)_this)->word = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 14: // STATE 18
		;
		((P3 *)_this)->at = trpt->bup.ovals[3];
		((P3 *)_this)->passed = trpt->bup.ovals[2];
		((P3 *)_this)->taken[ Index((((P3 *)_this)->word/32), 1) ] = trpt->bup.ovals[1];
		((P3 *)_this)->number = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;
;
		;
		
	case 16: // STATE 25
		;
		now.tail = trpt->bup.oval;
		;
		goto R999;

	case 17: // STATE 26
		;
	/* 1 */	((P3 *)_this)->at = trpt->bup.ovals[1];
	/* 0 */	((P3 *)_this)->was_over = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		;
		;
		;
		;
		
	case 21: // STATE 37
		;
		is_done = trpt->bup.oval;
		;
		goto R999;

	case 22: // STATE 38
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC Killer */

	case 23: // STATE 1
		;
		now.alive = trpt->bup.oval;
		;
		goto R999;

	case 24: // STATE 2
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC Scheduler */
;
		;
		
	case 26: // STATE 5
		;
		now.running = trpt->bup.ovals[1];
		now.broken[ Index(now.running, 1) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 27: // STATE 10
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC Writer */

	case 28: // STATE 1
		;
	/* 0 */	((P0 *)_this)->number = trpt->bup.oval;
		;
		;
		goto R999;

	case 29: // STATE 7
		;
		((P0 *)_this)->seen = trpt->bup.ovals[2];
		now.broken[ Index(((P0 *)_this)->me, 1) ] = trpt->bup.ovals[1];
		now.within[ Index(((P0 *)_this)->me, 1) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		;
		
	case 31: // STATE 13
		;
		((P0 *)_this)->crosses = trpt->bup.ovals[1];
		((P0 *)_this)->left = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 32: // STATE 15
		;
		((P0 *)_this)->free = trpt->bup.oval;
		;
		goto R999;

	case 33: // STATE 17
		;
	/* 3 */	((P0 *)_this)->free = trpt->bup.ovals[3];
	/* 2 */	((P0 *)_this)->left = trpt->bup.ovals[2];
	/* 1 */	((P0 *)_this)->crosses = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->seen = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 34: // STATE 21
		;
		((P0 *)_this)->number = trpt->bup.ovals[2];
		now.refused[ Index(((P0 *)_this)->me, 1) ] = trpt->bup.ovals[1];
		now.lost = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		;
		
	case 36: // STATE 29
		;
		now.limit = trpt->bup.oval;
		;
		goto R999;

	case 37: // STATE 34
		;
	/* 0 */	((P0 *)_this)->crosses = trpt->bup.oval;
		;
		;
		goto R999;

	case 38: // STATE 36
		;
		now.within[ Index(((P0 *)_this)->me, 1) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		
	case 40: // STATE 39
		goto R999;
;
		
	case 41: // STATE 48
		goto R999;

	case 42: // STATE 42
		;
	/* 0 */	((P0 *)_this)->seen = trpt->bup.oval;
		;
		;
		goto R999;
;
		
	case 43: // STATE 46
		goto R999;
;
		;
		;
		
	case 45: // STATE 51
		goto R999;
;
		
	case 46: // STATE 56
		goto R999;

	case 47: // STATE 54
		;
		now.words[ Index((((P0 *)_this)->seen%6), 6) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		
	case 49: // STATE 59
		goto R999;
;
		
	case 50: // STATE 65
		goto R999;

	case 51: // STATE 63
		;
		now.head = trpt->bup.ovals[1];
		now.below[ Index((((P0 *)_this)->seen+((P0 *)_this)->left), 40) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		;
		;
		
	case 54: // STATE 77
		;
		now.within[ Index(((P0 *)_this)->me, 1) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		
	case 56: // STATE 80
		goto R999;
;
		
	case 57: // STATE 89
		goto R999;

	case 58: // STATE 83
		;
	/* 0 */	((P0 *)_this)->seen = trpt->bup.oval;
		;
		;
		goto R999;
;
		
	case 59: // STATE 87
		goto R999;
;
		;
		;
		
	case 61: // STATE 92
		goto R999;
;
		
	case 62: // STATE 97
		goto R999;

	case 63: // STATE 95
		;
		now.words[ Index((((P0 *)_this)->seen%6), 6) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		
	case 65: // STATE 100
		goto R999;
;
		
	case 66: // STATE 109
		goto R999;

	case 67: // STATE 104
		;
		now.words[ Index(((((P0 *)_this)->seen+1)%6), 6) ] = trpt->bup.oval;
		;
		goto R999;
;
		
	case 68: // STATE 107
		goto R999;
;
		;
		;
		
	case 70: // STATE 112
		goto R999;
;
		
	case 71: // STATE 119
		goto R999;

	case 72: // STATE 117
		;
		now.written[ Index(((P0 *)_this)->me, 1) ] = trpt->bup.ovals[2];
		now.head = trpt->bup.ovals[1];
		now.below[ Index((((P0 *)_this)->seen+(1+(((P0 *)_this)->number&1))), 40) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 73: // STATE 123
		;
		((P0 *)_this)->number = trpt->bup.ovals[1];
		now.within[ Index(((P0 *)_this)->me, 1) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 74: // STATE 129
		;
		now.finished = trpt->bup.oval;
		;
		goto R999;

	case 75: // STATE 130
		;
		p_restor(II);
		;
		;
		goto R999;
	}

