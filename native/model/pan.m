#define rand	pan_rand
#define pthread_equal(a,b)	((a)==(b))
#if defined(HAS_CODE) && defined(VERBOSE)
	#ifdef BFS_PAR
		bfs_printf("Pr: %d Tr: %d\n", II, t->forw);
	#else
		cpu_printf("Pr: %d Tr: %d\n", II, t->forw);
	#endif
#endif
	switch (t->forw) {
	default: Uerror("bad forward move");
	case 0:	/* if without executable clauses */
		continue;
	case 1: /* generic 'goto' or 'skip' */
		IfNotBlocked
		_m = 3; goto P999;
	case 2: /* generic 'else' */
		IfNotBlocked
		if (trpt->o_pm&1) continue;
		_m = 3; goto P999;

		 /* PROC :init: */
	case 3: // STATE 1 - ring.pml:249 - [(run Writer(0))] (0:0:0 - 1)
		IfNotBlocked
		reached[4][1] = 1;
		if (!(addproc(II, 1, 0, 0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 4: // STATE 2 - ring.pml:253 - [(run Scheduler())] (0:0:0 - 1)
		IfNotBlocked
		reached[4][2] = 1;
		if (!(addproc(II, 1, 1, 0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 5: // STATE 3 - ring.pml:254 - [(run Killer())] (0:0:0 - 1)
		IfNotBlocked
		reached[4][3] = 1;
		if (!(addproc(II, 1, 2, 0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 6: // STATE 4 - ring.pml:255 - [(run Reader())] (0:0:0 - 1)
		IfNotBlocked
		reached[4][4] = 1;
		if (!(addproc(II, 1, 3, 0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 7: // STATE 6 - ring.pml:257 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[4][6] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC Reader */
	case 8: // STATE 1 - ring.pml:176 - [was_over = ((finished==1)||!(alive))] (0:22:2 - 1)
		IfNotBlocked
		reached[3][1] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P3 *)_this)->was_over);
		((P3 *)_this)->was_over = ((((int)now.finished)==1)|| !(((int)now.alive)));
#ifdef VAR_RANGES
		logval("Reader:was_over", ((int)((P3 *)_this)->was_over));
#endif
		;
		/* merge: until = head(22, 2, 22) */
		reached[3][2] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->until);
		((P3 *)_this)->until = ((int)now.head);
#ifdef VAR_RANGES
		logval("Reader:until", ((int)((P3 *)_this)->until));
#endif
		;
		/* merge: .(goto)(0, 23, 22) */
		reached[3][23] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 9: // STATE 4 - ring.pml:178 - [((at>=until))] (0:0:1 - 1)
		IfNotBlocked
		reached[3][4] = 1;
		if (!((((int)((P3 *)_this)->at)>=((int)((P3 *)_this)->until))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: until */  (trpt+1)->bup.oval = ((P3 *)_this)->until;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P3 *)_this)->until = 0;
		_m = 3; goto P999; /* 0 */
	case 10: // STATE 7 - ring.pml:211 - [word = words[(at%6)]] (0:0:1 - 1)
		IfNotBlocked
		reached[3][7] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->word);
		((P3 *)_this)->word = ((int)now.words[ Index((((int)((P3 *)_this)->at)%6), 6) ]);
#ifdef VAR_RANGES
		logval("Reader:word", ((int)((P3 *)_this)->word));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 11: // STATE 8 - ring.pml:212 - [payload = ( (((word<64)&&(word&1))) -> (words[((at+1)%6)]) : (word) )] (0:0:1 - 1)
		IfNotBlocked
		reached[3][8] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->payload);
		((P3 *)_this)->payload = ( (((((int)((P3 *)_this)->word)<64)&&(((int)((P3 *)_this)->word)&1))) ? (((int)now.words[ Index(((((int)((P3 *)_this)->at)+1)%6), 6) ])) : (((int)((P3 *)_this)->word)) );
#ifdef VAR_RANGES
		logval("Reader:payload", ((int)((P3 *)_this)->payload));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 12: // STATE 9 - ring.pml:214 - [assert((word!=255))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][9] = 1;
		spin_assert((((int)((P3 *)_this)->word)!=255), "(word!=255)", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 13: // STATE 10 - ring.pml:216 - [((word==64))] (22:0:2 - 1)
		IfNotBlocked
		reached[3][10] = 1;
		if (!((((int)((P3 *)_this)->word)==64)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: word */  (trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((P3 *)_this)->word;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P3 *)_this)->word = 0;
		/* merge: at = (at+(3-(at%3)))(0, 11, 22) */
		reached[3][11] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->at);
		((P3 *)_this)->at = (((int)((P3 *)_this)->at)+(3-(((int)((P3 *)_this)->at)%3)));
#ifdef VAR_RANGES
		logval("Reader:at", ((int)((P3 *)_this)->at));
#endif
		;
		/* merge: .(goto)(0, 21, 22) */
		reached[3][21] = 1;
		;
		/* merge: .(goto)(0, 23, 22) */
		reached[3][23] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 14: // STATE 13 - ring.pml:218 - [number = (word%32)] (0:19:4 - 1)
		IfNotBlocked
		reached[3][13] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)((P3 *)_this)->number);
		((P3 *)_this)->number = (((int)((P3 *)_this)->word)%32);
#ifdef VAR_RANGES
		logval("Reader:number", ((int)((P3 *)_this)->number));
#endif
		;
		/* merge: assert((!((word&1))||(payload==word)))(19, 14, 19) */
		reached[3][14] = 1;
		spin_assert(( !((((int)((P3 *)_this)->word)&1))||(((int)((P3 *)_this)->payload)==((int)((P3 *)_this)->word))), "( !((word&1))||(payload==word))", II, tt, t);
		/* merge: assert((number>=taken[(word/32)]))(19, 15, 19) */
		reached[3][15] = 1;
		spin_assert((((int)((P3 *)_this)->number)>=((int)((P3 *)_this)->taken[ Index((((int)((P3 *)_this)->word)/32), 1) ])), "(number>=taken[(word/32)])", II, tt, t);
		/* merge: taken[(word/32)] = (number+1)(19, 16, 19) */
		reached[3][16] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->taken[ Index((((int)((P3 *)_this)->word)/32), 1) ]);
		((P3 *)_this)->taken[ Index((((P3 *)_this)->word/32), 1) ] = (((int)((P3 *)_this)->number)+1);
#ifdef VAR_RANGES
		logval("Reader:taken[(Reader:word/32)]", ((int)((P3 *)_this)->taken[ Index((((int)((P3 *)_this)->word)/32), 1) ]));
#endif
		;
		/* merge: passed = (passed+1)(19, 17, 19) */
		reached[3][17] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P3 *)_this)->passed);
		((P3 *)_this)->passed = (((int)((P3 *)_this)->passed)+1);
#ifdef VAR_RANGES
		logval("Reader:passed", ((int)((P3 *)_this)->passed));
#endif
		;
		/* merge: at = (at+(1+(word&1)))(19, 18, 19) */
		reached[3][18] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P3 *)_this)->at);
		((P3 *)_this)->at = (((int)((P3 *)_this)->at)+(1+(((int)((P3 *)_this)->word)&1)));
#ifdef VAR_RANGES
		logval("Reader:at", ((int)((P3 *)_this)->at));
#endif
		;
		_m = 3; goto P999; /* 5 */
	case 15: // STATE 19 - ring.pml:224 - [assert((passed==below[at]))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][19] = 1;
		spin_assert((((int)((P3 *)_this)->passed)==((int)now.below[ Index(((int)((P3 *)_this)->at), 40) ])), "(passed==below[at])", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 16: // STATE 25 - ring.pml:230 - [tail = at] (0:0:1 - 3)
		IfNotBlocked
		reached[3][25] = 1;
		(trpt+1)->bup.oval = ((int)now.tail);
		now.tail = ((int)((P3 *)_this)->at);
#ifdef VAR_RANGES
		logval("tail", ((int)now.tail));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 17: // STATE 26 - ring.pml:232 - [((was_over&&(at==head)))] (0:0:2 - 1)
		IfNotBlocked
		reached[3][26] = 1;
		if (!((((int)((P3 *)_this)->was_over)&&(((int)((P3 *)_this)->at)==((int)now.head)))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: was_over */  (trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((P3 *)_this)->was_over;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P3 *)_this)->was_over = 0;
		if (TstOnly) return 1; /* TT */
		/* dead 1: at */  (trpt+1)->bup.ovals[1] = ((P3 *)_this)->at;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P3 *)_this)->at = 0;
		_m = 3; goto P999; /* 0 */
	case 18: // STATE 34 - ring.pml:236 - [assert((passed==below[head]))] (0:0:0 - 3)
		IfNotBlocked
		reached[3][34] = 1;
		spin_assert((((int)((P3 *)_this)->passed)==((int)now.below[ Index(((int)now.head), 40) ])), "(passed==below[head])", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 19: // STATE 35 - ring.pml:238 - [assert((((passed+lost)>=(written[0]+refused[0]))&&((passed+lost)<=(1*3))))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][35] = 1;
		spin_assert((((((int)((P3 *)_this)->passed)+((int)now.lost))>=(((int)now.written[0])+((int)now.refused[0])))&&((((int)((P3 *)_this)->passed)+((int)now.lost))<=(1*3))), "(((passed+lost)>=(written[0]+refused[0]))&&((passed+lost)<=(1*3)))", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 20: // STATE 36 - ring.pml:242 - [assert(((passed+lost)==(written[0]+refused[0])))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][36] = 1;
		spin_assert(((((int)((P3 *)_this)->passed)+((int)now.lost))==(((int)now.written[0])+((int)now.refused[0]))), "((passed+lost)==(written[0]+refused[0]))", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 21: // STATE 37 - ring.pml:244 - [is_done = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[3][37] = 1;
		(trpt+1)->bup.oval = ((int)is_done);
		is_done = 1;
#ifdef VAR_RANGES
		logval("is_done", ((int)is_done));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 22: // STATE 38 - ring.pml:245 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[3][38] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC Killer */
	case 23: // STATE 1 - ring.pml:168 - [alive = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[2][1] = 1;
		(trpt+1)->bup.oval = ((int)now.alive);
		now.alive = 0;
#ifdef VAR_RANGES
		logval("alive", ((int)now.alive));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 24: // STATE 2 - ring.pml:168 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[2][2] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC Scheduler */
	case 25: // STATE 1 - ring.pml:159 - [(((finished==1)||!(alive)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][1] = 1;
		if (!(((((int)now.finished)==1)|| !(((int)now.alive)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 26: // STATE 3 - ring.pml:161 - [((alive&&(1>1)))] (7:0:2 - 1)
		IfNotBlocked
		reached[1][3] = 1;
		if (!((((int)now.alive)&&(1>1))))
			continue;
		/* merge: broken[running] = within[running](7, 4, 7) */
		reached[1][4] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.broken[ Index(((int)now.running), 1) ]);
		now.broken[ Index(now.running, 1) ] = ((int)now.within[ Index(((int)now.running), 1) ]);
#ifdef VAR_RANGES
		logval("broken[running]", ((int)now.broken[ Index(((int)now.running), 1) ]));
#endif
		;
		/* merge: running = (1-running)(7, 5, 7) */
		reached[1][5] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.running);
		now.running = (1-((int)now.running));
#ifdef VAR_RANGES
		logval("running", ((int)now.running));
#endif
		;
		/* merge: .(goto)(0, 8, 7) */
		reached[1][8] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 27: // STATE 10 - ring.pml:166 - [-end-] (0:0:0 - 3)
		IfNotBlocked
		reached[1][10] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC Writer */
	case 28: // STATE 1 - ring.pml:66 - [(((number%32)==3))] (0:0:1 - 1)
		IfNotBlocked
		reached[0][1] = 1;
		if (!(((((int)((P0 *)_this)->number)%32)==3)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: number */  (trpt+1)->bup.oval = ((P0 *)_this)->number;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->number = 0;
		_m = 3; goto P999; /* 0 */
	case 29: // STATE 4 - ring.pml:69 - [((alive&&(running==me)))] (74:0:3 - 1)
		IfNotBlocked
		reached[0][4] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		/* merge: within[me] = 0(74, 5, 74) */
		reached[0][5] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.within[ Index(((int)((P0 *)_this)->me), 1) ]);
		now.within[ Index(((P0 *)_this)->me, 1) ] = 0;
#ifdef VAR_RANGES
		logval("within[Writer:me]", ((int)now.within[ Index(((int)((P0 *)_this)->me), 1) ]));
#endif
		;
		/* merge: broken[me] = 0(74, 6, 74) */
		reached[0][6] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.broken[ Index(((int)((P0 *)_this)->me), 1) ]);
		now.broken[ Index(((P0 *)_this)->me, 1) ] = 0;
#ifdef VAR_RANGES
		logval("broken[Writer:me]", ((int)now.broken[ Index(((int)((P0 *)_this)->me), 1) ]));
#endif
		;
		/* merge: seen = head(74, 7, 74) */
		reached[0][7] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->seen);
		((P0 *)_this)->seen = ((int)now.head);
#ifdef VAR_RANGES
		logval("Writer:seen", ((int)((P0 *)_this)->seen));
#endif
		;
		_m = 3; goto P999; /* 3 */
	case 30: // STATE 9 - ring.pml:71 - [((alive&&(running==me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][9] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 31: // STATE 10 - ring.pml:71 - [(((seen+(1+(number&1)))>limit))] (16:0:2 - 1)
		IfNotBlocked
		reached[0][10] = 1;
		if (!(((((int)((P0 *)_this)->seen)+(1+(((int)((P0 *)_this)->number)&1)))>((int)now.limit))))
			continue;
		/* merge: left = (3-(seen%3))(16, 12, 16) */
		reached[0][12] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->left);
		((P0 *)_this)->left = (3-(((int)((P0 *)_this)->seen)%3));
#ifdef VAR_RANGES
		logval("Writer:left", ((int)((P0 *)_this)->left));
#endif
		;
		/* merge: crosses = ((1+(number&1))>left)(16, 13, 16) */
		reached[0][13] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->crosses);
		((P0 *)_this)->crosses = ((1+(((int)((P0 *)_this)->number)&1))>((int)((P0 *)_this)->left));
#ifdef VAR_RANGES
		logval("Writer:crosses", ((int)((P0 *)_this)->crosses));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 32: // STATE 14 - ring.pml:106 - [((alive&&(running==me)))] (25:0:1 - 1)
		IfNotBlocked
		reached[0][14] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		/* merge: free = (tail+6)(0, 15, 25) */
		reached[0][15] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->free);
		((P0 *)_this)->free = (((int)now.tail)+6);
#ifdef VAR_RANGES
		logval("Writer:free", ((int)((P0 *)_this)->free));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 33: // STATE 17 - ring.pml:108 - [(((seen+( (crosses) -> (left) : ((1+(number&1))) ))>free))] (0:0:4 - 1)
		IfNotBlocked
		reached[0][17] = 1;
		if (!(((((int)((P0 *)_this)->seen)+( (((int)((P0 *)_this)->crosses)) ? (((int)((P0 *)_this)->left)) : ((1+(((int)((P0 *)_this)->number)&1))) ))>((int)((P0 *)_this)->free))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: seen */  (trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->seen;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->seen = 0;
		if (TstOnly) return 1; /* TT */
		/* dead 1: crosses */  (trpt+1)->bup.ovals[1] = ((P0 *)_this)->crosses;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->crosses = 0;
		if (TstOnly) return 1; /* TT */
		/* dead 1: left */  (trpt+1)->bup.ovals[2] = ((P0 *)_this)->left;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->left = 0;
		if (TstOnly) return 1; /* TT */
		/* dead 1: free */  (trpt+1)->bup.ovals[3] = ((P0 *)_this)->free;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->free = 0;
		_m = 3; goto P999; /* 0 */
	case 34: // STATE 18 - ring.pml:112 - [((alive&&(running==me)))] (125:0:3 - 1)
		IfNotBlocked
		reached[0][18] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		/* merge: lost = (lost+1)(125, 19, 125) */
		reached[0][19] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.lost);
		now.lost = (((int)now.lost)+1);
#ifdef VAR_RANGES
		logval("lost", ((int)now.lost));
#endif
		;
		/* merge: refused[me] = (refused[me]+1)(125, 20, 125) */
		reached[0][20] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.refused[ Index(((int)((P0 *)_this)->me), 1) ]);
		now.refused[ Index(((P0 *)_this)->me, 1) ] = (((int)now.refused[ Index(((int)((P0 *)_this)->me), 1) ])+1);
#ifdef VAR_RANGES
		logval("refused[Writer:me]", ((int)now.refused[ Index(((int)((P0 *)_this)->me), 1) ]));
#endif
		;
		/* merge: number = (number+1)(125, 21, 125) */
		reached[0][21] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->number);
		((P0 *)_this)->number = (((int)((P0 *)_this)->number)+1);
#ifdef VAR_RANGES
		logval("Writer:number", ((int)((P0 *)_this)->number));
#endif
		;
		/* merge: goto next(0, 23, 125) */
		reached[0][23] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 35: // STATE 27 - ring.pml:118 - [(!(crosses))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][27] = 1;
		if (!( !(((int)((P0 *)_this)->crosses))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 36: // STATE 28 - ring.pml:122 - [((alive&&(running==me)))] (69:0:1 - 1)
		IfNotBlocked
		reached[0][28] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		/* merge: limit = ( (((seen+left)<free)) -> ((seen+left)) : (free) )(0, 29, 69) */
		reached[0][29] = 1;
		(trpt+1)->bup.oval = ((int)now.limit);
		now.limit = ( (((((int)((P0 *)_this)->seen)+((int)((P0 *)_this)->left))<((int)((P0 *)_this)->free))) ? ((((int)((P0 *)_this)->seen)+((int)((P0 *)_this)->left))) : (((int)((P0 *)_this)->free)) );
#ifdef VAR_RANGES
		logval("limit", ((int)now.limit));
#endif
		;
		/* merge: .(goto)(0, 33, 69) */
		reached[0][33] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 37: // STATE 34 - ring.pml:128 - [(crosses)] (0:0:1 - 1)
		IfNotBlocked
		reached[0][34] = 1;
		if (!(((int)((P0 *)_this)->crosses)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: crosses */  (trpt+1)->bup.oval = ((P0 *)_this)->crosses;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->crosses = 0;
		_m = 3; goto P999; /* 0 */
	case 38: // STATE 35 - ring.pml:129 - [((alive&&(running==me)))] (49:0:1 - 1)
		IfNotBlocked
		reached[0][35] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		/* merge: within[me] = 1(0, 36, 49) */
		reached[0][36] = 1;
		(trpt+1)->bup.oval = ((int)now.within[ Index(((int)((P0 *)_this)->me), 1) ]);
		now.within[ Index(((P0 *)_this)->me, 1) ] = 1;
#ifdef VAR_RANGES
		logval("within[Writer:me]", ((int)now.within[ Index(((int)((P0 *)_this)->me), 1) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 39: // STATE 38 - ring.pml:130 - [((alive&&(running==me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][38] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 40: // STATE 39 - ring.pml:130 - [(broken[me])] (8:0:0 - 1)
		IfNotBlocked
		reached[0][39] = 1;
		if (!(((int)now.broken[ Index(((int)((P0 *)_this)->me), 1) ])))
			continue;
		/* merge: goto again(0, 40, 8) */
		reached[0][40] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 41: // STATE 48 - ring.pml:130 - [.(goto)] (0:57:0 - 1)
		IfNotBlocked
		reached[0][48] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 42: // STATE 42 - ring.pml:130 - [((head!=seen))] (8:0:1 - 1)
		IfNotBlocked
		reached[0][42] = 1;
		if (!((((int)now.head)!=((int)((P0 *)_this)->seen))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: seen */  (trpt+1)->bup.oval = ((P0 *)_this)->seen;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->seen = 0;
		/* merge: goto again(0, 43, 8) */
		reached[0][43] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 43: // STATE 46 - ring.pml:130 - [.(goto)] (0:57:0 - 1)
		IfNotBlocked
		reached[0][46] = 1;
		;
		/* merge: .(goto)(57, 48, 57) */
		reached[0][48] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 44: // STATE 50 - ring.pml:131 - [((alive&&(running==me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][50] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 45: // STATE 51 - ring.pml:131 - [(broken[me])] (8:0:0 - 1)
		IfNotBlocked
		reached[0][51] = 1;
		if (!(((int)now.broken[ Index(((int)((P0 *)_this)->me), 1) ])))
			continue;
		/* merge: goto again(0, 52, 8) */
		reached[0][52] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 46: // STATE 56 - ring.pml:131 - [.(goto)] (0:66:0 - 1)
		IfNotBlocked
		reached[0][56] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 47: // STATE 54 - ring.pml:131 - [words[(seen%6)] = 64] (0:66:1 - 1)
		IfNotBlocked
		reached[0][54] = 1;
		(trpt+1)->bup.oval = ((int)now.words[ Index((((int)((P0 *)_this)->seen)%6), 6) ]);
		now.words[ Index((((P0 *)_this)->seen%6), 6) ] = 64;
#ifdef VAR_RANGES
		logval("words[(Writer:seen%6)]", ((int)now.words[ Index((((int)((P0 *)_this)->seen)%6), 6) ]));
#endif
		;
		/* merge: .(goto)(66, 56, 66) */
		reached[0][56] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 48: // STATE 58 - ring.pml:132 - [((alive&&(running==me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][58] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 49: // STATE 59 - ring.pml:132 - [(broken[me])] (8:0:0 - 1)
		IfNotBlocked
		reached[0][59] = 1;
		if (!(((int)now.broken[ Index(((int)((P0 *)_this)->me), 1) ])))
			continue;
		/* merge: goto again(0, 60, 8) */
		reached[0][60] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 50: // STATE 65 - ring.pml:132 - [.(goto)] (0:8:0 - 1)
		IfNotBlocked
		reached[0][65] = 1;
		;
		/* merge: goto again(0, 67, 8) */
		reached[0][67] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 51: // STATE 62 - ring.pml:132 - [below[(seen+left)] = below[seen]] (0:8:2 - 1)
		IfNotBlocked
		reached[0][62] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.below[ Index((((int)((P0 *)_this)->seen)+((int)((P0 *)_this)->left)), 40) ]);
		now.below[ Index((((P0 *)_this)->seen+((P0 *)_this)->left), 40) ] = ((int)now.below[ Index(((int)((P0 *)_this)->seen), 40) ]);
#ifdef VAR_RANGES
		logval("below[(Writer:seen+Writer:left)]", ((int)now.below[ Index((((int)((P0 *)_this)->seen)+((int)((P0 *)_this)->left)), 40) ]));
#endif
		;
		/* merge: head = (seen+left)(8, 63, 8) */
		reached[0][63] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.head);
		now.head = (((int)((P0 *)_this)->seen)+((int)((P0 *)_this)->left));
#ifdef VAR_RANGES
		logval("head", ((int)now.head));
#endif
		;
		/* merge: .(goto)(8, 65, 8) */
		reached[0][65] = 1;
		;
		/* merge: goto again(0, 67, 8) */
		reached[0][67] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 52: // STATE 71 - ring.pml:136 - [((alive&&(running==me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][71] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 53: // STATE 72 - ring.pml:136 - [(((seen+(1+(number&1)))<=limit))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][72] = 1;
		if (!(((((int)((P0 *)_this)->seen)+(1+(((int)((P0 *)_this)->number)&1)))<=((int)now.limit))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 54: // STATE 76 - ring.pml:139 - [((alive&&(running==me)))] (90:0:1 - 1)
		IfNotBlocked
		reached[0][76] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		/* merge: within[me] = 1(0, 77, 90) */
		reached[0][77] = 1;
		(trpt+1)->bup.oval = ((int)now.within[ Index(((int)((P0 *)_this)->me), 1) ]);
		now.within[ Index(((P0 *)_this)->me, 1) ] = 1;
#ifdef VAR_RANGES
		logval("within[Writer:me]", ((int)now.within[ Index(((int)((P0 *)_this)->me), 1) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 55: // STATE 79 - ring.pml:140 - [((alive&&(running==me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][79] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 56: // STATE 80 - ring.pml:140 - [(broken[me])] (8:0:0 - 1)
		IfNotBlocked
		reached[0][80] = 1;
		if (!(((int)now.broken[ Index(((int)((P0 *)_this)->me), 1) ])))
			continue;
		/* merge: goto again(0, 81, 8) */
		reached[0][81] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 57: // STATE 89 - ring.pml:140 - [.(goto)] (0:98:0 - 1)
		IfNotBlocked
		reached[0][89] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 58: // STATE 83 - ring.pml:140 - [((head!=seen))] (8:0:1 - 1)
		IfNotBlocked
		reached[0][83] = 1;
		if (!((((int)now.head)!=((int)((P0 *)_this)->seen))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: seen */  (trpt+1)->bup.oval = ((P0 *)_this)->seen;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->seen = 0;
		/* merge: goto again(0, 84, 8) */
		reached[0][84] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 59: // STATE 87 - ring.pml:140 - [.(goto)] (0:98:0 - 1)
		IfNotBlocked
		reached[0][87] = 1;
		;
		/* merge: .(goto)(98, 89, 98) */
		reached[0][89] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 60: // STATE 91 - ring.pml:146 - [((alive&&(running==me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][91] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 61: // STATE 92 - ring.pml:146 - [(broken[me])] (8:0:0 - 1)
		IfNotBlocked
		reached[0][92] = 1;
		if (!(((int)now.broken[ Index(((int)((P0 *)_this)->me), 1) ])))
			continue;
		/* merge: goto again(0, 93, 8) */
		reached[0][93] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 62: // STATE 97 - ring.pml:146 - [.(goto)] (0:110:0 - 1)
		IfNotBlocked
		reached[0][97] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 63: // STATE 95 - ring.pml:146 - [words[(seen%6)] = number] (0:110:1 - 1)
		IfNotBlocked
		reached[0][95] = 1;
		(trpt+1)->bup.oval = ((int)now.words[ Index((((int)((P0 *)_this)->seen)%6), 6) ]);
		now.words[ Index((((P0 *)_this)->seen%6), 6) ] = ((int)((P0 *)_this)->number);
#ifdef VAR_RANGES
		logval("words[(Writer:seen%6)]", ((int)now.words[ Index((((int)((P0 *)_this)->seen)%6), 6) ]));
#endif
		;
		/* merge: .(goto)(110, 97, 110) */
		reached[0][97] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 64: // STATE 99 - ring.pml:147 - [((alive&&(running==me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][99] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 65: // STATE 100 - ring.pml:147 - [(broken[me])] (8:0:0 - 1)
		IfNotBlocked
		reached[0][100] = 1;
		if (!(((int)now.broken[ Index(((int)((P0 *)_this)->me), 1) ])))
			continue;
		/* merge: goto again(0, 101, 8) */
		reached[0][101] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 66: // STATE 109 - ring.pml:147 - [.(goto)] (0:120:0 - 1)
		IfNotBlocked
		reached[0][109] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 67: // STATE 103 - ring.pml:147 - [((number&1))] (120:0:1 - 1)
		IfNotBlocked
		reached[0][103] = 1;
		if (!((((int)((P0 *)_this)->number)&1)))
			continue;
		/* merge: words[((seen+1)%6)] = number(120, 104, 120) */
		reached[0][104] = 1;
		(trpt+1)->bup.oval = ((int)now.words[ Index(((((int)((P0 *)_this)->seen)+1)%6), 6) ]);
		now.words[ Index(((((P0 *)_this)->seen+1)%6), 6) ] = ((int)((P0 *)_this)->number);
#ifdef VAR_RANGES
		logval("words[((Writer:seen+1)%6)]", ((int)now.words[ Index(((((int)((P0 *)_this)->seen)+1)%6), 6) ]));
#endif
		;
		/* merge: .(goto)(120, 107, 120) */
		reached[0][107] = 1;
		;
		/* merge: .(goto)(120, 109, 120) */
		reached[0][109] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 68: // STATE 107 - ring.pml:147 - [.(goto)] (0:120:0 - 2)
		IfNotBlocked
		reached[0][107] = 1;
		;
		/* merge: .(goto)(120, 109, 120) */
		reached[0][109] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 69: // STATE 111 - ring.pml:148 - [((alive&&(running==me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][111] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 70: // STATE 112 - ring.pml:148 - [(broken[me])] (8:0:0 - 1)
		IfNotBlocked
		reached[0][112] = 1;
		if (!(((int)now.broken[ Index(((int)((P0 *)_this)->me), 1) ])))
			continue;
		/* merge: goto again(0, 113, 8) */
		reached[0][113] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 71: // STATE 119 - ring.pml:148 - [.(goto)] (0:124:0 - 1)
		IfNotBlocked
		reached[0][119] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 72: // STATE 115 - ring.pml:148 - [below[(seen+(1+(number&1)))] = (below[seen]+1)] (0:124:3 - 1)
		IfNotBlocked
		reached[0][115] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.below[ Index((((int)((P0 *)_this)->seen)+(1+(((int)((P0 *)_this)->number)&1))), 40) ]);
		now.below[ Index((((P0 *)_this)->seen+(1+(((P0 *)_this)->number&1))), 40) ] = (((int)now.below[ Index(((int)((P0 *)_this)->seen), 40) ])+1);
#ifdef VAR_RANGES
		logval("below[(Writer:seen+(1+(Writer:number&1)))]", ((int)now.below[ Index((((int)((P0 *)_this)->seen)+(1+(((int)((P0 *)_this)->number)&1))), 40) ]));
#endif
		;
		/* merge: head = (seen+(1+(number&1)))(124, 116, 124) */
		reached[0][116] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.head);
		now.head = (((int)((P0 *)_this)->seen)+(1+(((int)((P0 *)_this)->number)&1)));
#ifdef VAR_RANGES
		logval("head", ((int)now.head));
#endif
		;
		/* merge: written[me] = (written[me]+1)(124, 117, 124) */
		reached[0][117] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.written[ Index(((int)((P0 *)_this)->me), 1) ]);
		now.written[ Index(((P0 *)_this)->me, 1) ] = (((int)now.written[ Index(((int)((P0 *)_this)->me), 1) ])+1);
#ifdef VAR_RANGES
		logval("written[Writer:me]", ((int)now.written[ Index(((int)((P0 *)_this)->me), 1) ]));
#endif
		;
		/* merge: .(goto)(124, 119, 124) */
		reached[0][119] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 73: // STATE 121 - ring.pml:150 - [((alive&&(running==me)))] (125:0:2 - 1)
		IfNotBlocked
		reached[0][121] = 1;
		if (!((((int)now.alive)&&(((int)now.running)==((int)((P0 *)_this)->me)))))
			continue;
		/* merge: within[me] = 0(125, 122, 125) */
		reached[0][122] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.within[ Index(((int)((P0 *)_this)->me), 1) ]);
		now.within[ Index(((P0 *)_this)->me, 1) ] = 0;
#ifdef VAR_RANGES
		logval("within[Writer:me]", ((int)now.within[ Index(((int)((P0 *)_this)->me), 1) ]));
#endif
		;
		/* merge: number = (number+1)(125, 123, 125) */
		reached[0][123] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->number);
		((P0 *)_this)->number = (((int)((P0 *)_this)->number)+1);
#ifdef VAR_RANGES
		logval("Writer:number", ((int)((P0 *)_this)->number));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 74: // STATE 129 - ring.pml:153 - [finished = (finished+1)] (0:0:1 - 3)
		IfNotBlocked
		reached[0][129] = 1;
		(trpt+1)->bup.oval = ((int)now.finished);
		now.finished = (((int)now.finished)+1);
#ifdef VAR_RANGES
		logval("finished", ((int)now.finished));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 75: // STATE 130 - ring.pml:154 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[0][130] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */
	case  _T5:	/* np_ */
		if (!((!(trpt->o_pm&4) && !(trpt->tau&128))))
			continue;
		/* else fall through */
	case  _T2:	/* true */
		_m = 3; goto P999;
#undef rand
	}

