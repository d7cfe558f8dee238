-- 200 tickets of a made-up maker of lamps, cameras and thermostats, with what the
-- customers were answered: four customers for each of 50 cases. Read by support.sql.
COPY support.cases (id, product, answer) FROM stdin;
1	account	Use 'Forgot password' on the sign-in page; the link is valid for 30 minutes. If no mail comes within five minutes, look in the spam folder for noreply@northlight.example.
2	account	The reset mail goes to the address of the account, which may be an older one of yours. Tell us the serial number of one device and we will change the address for you.
3	account	Codes of the second factor depend on the phone's clock: set date and time to automatic. If the phone is lost, sign in with one of the recovery codes that you got when you switched it on.
4	account	An account is locked for one hour after ten wrong passwords. It opens by itself; nobody else has signed in.
5	account	Open Settings, Home, Members and choose 'Invite'. A member may use devices but not remove them or see the bills.
6	account	Settings, Account, Delete account removes your data within 14 days. Remove the devices from the home first, so that somebody else can set them up.
7	billing	A plan is renewed on the day it began. Cancel it in Settings, Plan, at any time; it runs to the end of the period that is paid.
8	billing	We refund a renewal within 14 days if nothing was recorded since. The money is back on the card in three to five working days.
9	billing	The second entry is a reservation by your bank and disappears within a week. Only one payment was made to us.
10	billing	Add the new card in Settings, Plan, Payment and try again there. After three failed attempts the plan is paused; recordings are kept for 30 days.
11	billing	Invoices are in Settings, Plan, Invoices as PDF. Add the company's name and VAT number in the billing address, and later invoices have them.
12	billing	Codes are valid once, for the shop alone, and not together with other offers. Enter it before the payment step; it can't be added to an order that is placed.
13	orders	Parcels take two to four working days. The tracking link is in the mail 'Your order is on its way'; the carrier updates it in the evening.
14	orders	We start a search with the carrier, which takes up to five working days, and send a replacement at once if the parcel is not found. Please ask the neighbours meanwhile.
15	orders	An order can be changed until it is packed, usually within two hours: Orders, Change. After that, please refuse the parcel or send it back.
16	orders	Returns are free within 30 days. Print the label in Orders, Return, and hand the parcel in at any shop of the carrier; the refund comes two days after it arrives here.
17	orders	We are sorry. A replacement leaves today; you need not send the damaged one back. A photo of box and device helps us with the carrier.
18	orders	Something went wrong when it was packed. The missing part leaves today by letter post; please keep the rest.
19	warranty	Devices have a warranty of two years from the day of purchase. Send us the serial number and the order's number and we replace it.
20	hub	Pull the plug for 30 seconds. If the light is red again after two minutes, hold the button on the underside for ten seconds: that resets the network, not the devices.
21	hub	Connect the hub to the router by the cable for the setup, and let the phone be in the same network, not in the guest one. Then 'Add hub' finds it within a minute.
22	hub	Settings, Hub, Network, 'Change Wi-Fi' while the hub is on the cable. Devices keep working; only the hub needs the new password.
23	hub	The hub updates itself between 3 and 5 at night if it has power and a network. 'Update now' is in Settings, Hub, Software; it takes about ten minutes, so please do not unplug it.
24	hub	Devices reach the hub over about ten metres through walls. Any lamp of ours that has power passes signals on; put one between the two.
25	app	Delete the app, start the phone again and install it anew; nothing is lost, your home is kept with us. It needs Android 10 or iOS 15.
26	app	Notifications need a permission of the phone: its settings, Northlight, Notifications. Check also that 'Do not disturb' in our app is off.
27	app	In Camera, Motion choose zones without the street, and a sensitivity below 5. With Plus you may ask for people alone.
28	app	A routine of a time or of the sun needs the home's place: Settings, Home, Address. Check the time zone there as well.
29	app	The language of the app is that of the phone. On Android 13 and iOS it can be set for our app alone, in the phone's settings.
30	voice	In the assistant's app remove the Northlight service and link it again, then say 'discover devices'. Names must not be the same as those of rooms.
31	camera	At night a window reflects the camera's own light: put it outside, or switch night vision off. Else wipe the lens with a dry cloth.
32	camera	The picture needs 2 Mbit/s upwards. In Camera, Quality choose 720p, or bring the camera nearer to the router; 5 GHz reaches less far than 2.4.
33	camera	Recordings are kept for 24 hours without a plan, and for 30 days with Plus. What is older is gone; please save what you need in time.
34	camera	Put a card of up to 256 GB, formatted as FAT32, into the camera while it is off. Choose 'Record on card' in Camera, Storage.
35	camera	Below minus 10 degrees the battery gives much less power, and each live view costs some. Charge it indoors, or connect the solar panel.
36	camera	A purple or green tint is the filter for night vision that is stuck: switch night vision off and on twice. If that does not help we replace the camera.
37	camera	Sound can be switched off in Camera, Microphone; a bar across the symbol says that it is. While you speak the other side is muted.
38	doorbell	The doorbell needs 16 to 24 volts of alternating current. Many old transformers have 8; an electrician can change it in a quarter of an hour.
39	doorbell	Choose the kind of chime in Doorbell, Chime: 'mechanical' or 'digital'. With none of them connect the jumper that is in the box.
40	doorbell	It takes some seconds to wake from battery. Switch 'Quick answer' on, or connect the bell to wires; then the picture is there within a second.
41	thermostat	Press the ring for five seconds until 'Cal' is shown, then set what your thermometer says. Radiators are warmer than the room: use a room sensor.
42	thermostat	Turn the valve off, take the thermostat from it and press the metal pin in and out some times: it sticks after the summer. Then choose 'Adapt' again.
43	thermostat	The valve does not close: 'Adapt' in Thermostat, Valve measures it again. If the radiator is hot after that, the adapter for your valve is the wrong one; tell us its maker.
44	thermostat	It needs two new alkaline AA batteries; rechargeable ones have too little voltage. They last for about a heating season.
45	thermostat	An open window is seen by a fall of temperature, and heating pauses for 15 minutes. Switch it off in Thermostat, Window, or lower its sensitivity.
46	bulbs	Switch the bulb on and off six times, two seconds each. When it blinks it is new again, and 'Add lamp' finds it.
47	bulbs	Dimmers in the wall and our bulbs do not go together: they flicker, and their electronics suffer. Replace the dimmer by a switch and dim in the app.
48	bulbs	'After a power cut' in Lamp, Settings says what a bulb does when power comes back: choose 'as before' or 'off'.
49	privacy	Recordings are encrypted with a key of your home and kept in the European Union. Nobody at Northlight can see them; the police gets them from you alone, or by a court's order.
50	privacy	Film nothing but your own ground; the street is forbidden in most countries. Privacy zones in Camera, Motion black out a part of the picture.
\.
COPY support.tickets (id, case_id, body) FROM stdin;
1	1	I can't log in any more, it says my password is wrong although I am sure it is right.
2	8	I was charged for another year although I wanted to cancel. I want my money back.
3	15	I ordered the wrong colour, can I still change it?
4	22	We have a new internet provider, how do I connect the hub to the new Wi-Fi?
5	29	The app is suddenly in English, I want German.
6	36	Everything looks pink on my camera during the day.
7	43	The heating never stops, the room is boiling.
8	50	My neighbour complains that the camera films his garden.
9	7	How do I cancel my subscription?
10	14	Tracking says delivered but there is nothing here.
11	21	The app cannot find the hub during the setup.
12	28	My lights go on an hour too late since the clocks changed.
13	35	The battery of the camera lasts only a week.
14	42	The radiator stays cold although the thermostat is set to 23.
15	49	Who can watch the videos of my camera?
16	6	Please delete my account and all of my data.
17	13	Where is my parcel? I ordered a week ago.
18	20	The light on the hub is red and nothing works.
19	27	I get a hundred notifications a day because of cars passing by.
20	34	Can the camera record on an SD card?
21	41	The thermostat shows 24 degrees, but it is 20 in here.
22	48	After a blackout all lights were on in the middle of the night.
23	5	How can my wife use the lights from her own phone?
24	12	The discount code from the newsletter does not work.
25	19	My hub died after 14 months, is it still under warranty?
26	26	I don't get any notifications when somebody rings.
27	33	I can't find the recordings from last week.
28	40	When someone rings it takes ten seconds until I can see the picture.
29	47	My bulbs flicker all the time.
30	4	My account is locked, too many attempts, what now?
31	11	I need an invoice with my company's VAT number for the tax office.
32	18	The screws and the mounting plate are missing from the box.
33	25	The app crashes as soon as I open it.
34	32	The video stutters and stops all the time.
35	39	The old gong in the hall does not ring when the doorbell is pressed.
36	46	How do I reset a bulb to factory settings?
37	3	The six digit code from the authenticator app is always rejected.
38	10	My payment failed because the card has expired. How do I add the new one?
39	17	The doorbell arrived with a cracked case.
40	24	Devices in the garage drop out all the time, the hub is on the other side of the house.
41	31	The picture at night is completely white.
42	38	The doorbell keeps restarting every few minutes.
43	45	The thermostat thinks a window is open when it is not.
44	2	The password reset mail never arrives, I have tried four times and checked spam.
45	9	My card was charged twice for the same order.
46	16	How do I send something back?
47	23	How do I install the latest firmware on the hub?
48	30	Alexa no longer finds my lamps.
49	37	There is no sound in the recordings.
50	44	The thermostat shows low battery although the batteries are new.
51	14	My parcel was supposedly left at the door and is gone.
52	21	Setup of the hub is stuck at 'searching'.
53	28	The sunset schedule runs at the wrong time.
54	35	Outdoor camera is empty after three days in the cold.
55	42	Heating does not come on any more since autumn.
56	49	Where are the recordings stored and are they encrypted?
57	6	I would like to close my account under the GDPR.
58	13	When will my order be delivered?
59	20	Hub blinks red since the power cut.
60	27	The camera reports motion whenever a tree moves.
61	34	The memory card is not recognised.
62	41	The temperature reading is wrong by several degrees.
63	48	The lamps turn on by themselves when the power returns.
64	5	I want to give my kids access but they must not change settings.
65	12	I forgot to enter my voucher, can you add it to my order?
66	19	The camera stopped working completely, what about the guarantee?
67	26	Push messages stopped coming a week ago.
68	33	How long are videos stored?
69	40	The visitor is already gone when the video finally opens.
70	47	The lamp flickers when I use the wall dimmer.
71	4	It says the account is temporarily blocked. Was I hacked?
72	11	Where can I download receipts for last year?
73	18	There is no power cable in the package.
74	25	Since the last update the app closes itself after two seconds.
75	32	Live view takes forever to load and is blurry.
76	39	Indoor chime is silent but I get the message on my phone.
77	46	The lamp can't be paired again after I removed it.
78	3	I lost my phone and now I can't get past two-factor authentication.
79	10	The app says there is a problem with my payment method.
80	17	The box was crushed and the lamp inside is broken.
81	24	What range does the hub have? The garden light is not reachable.
82	31	Night vision shows only fog.
83	38	The new bell has no power although I connected the old wires.
84	45	Heating pauses by itself with a window symbol.
85	2	I no longer have the email address that I registered with, so I cannot reset anything.
86	9	There are two identical payments on my bank statement.
87	16	I want to return the camera, it is not what I expected.
88	23	The software update is stuck at 50 percent.
89	30	Google Home says the device is offline, but in your app it works.
90	37	I can see the visitor but not hear him.
91	44	How often do I have to change the batteries of the radiator thermostats?
92	1	Forgot my password and have no idea how to get back into my account.
93	8	You renewed my plan without asking, please refund it.
94	15	I gave the wrong delivery address, please correct it quickly.
95	22	I changed the Wi-Fi password and now the hub is offline.
96	29	How do I change the language?
97	36	The colours of the video are wrong, the grass is purple.
98	43	Radiator is hot even when the thermostat is off.
99	50	Am I allowed to record the pavement in front of my house?
100	7	I want to stop the monthly plan, I don't use the recordings.
101	27	Too many false alarms from my cat.
102	34	It says insert storage although there is a microSD in it.
103	41	How do I calibrate the thermostat?
104	48	Can the bulb remember its last state after a power failure?
105	5	Can I add a second user to our home?
106	12	It says coupon invalid, but it is valid until Sunday.
107	19	One of the lamps no longer turns on, I bought it last spring. Replacement?
108	26	Motion alerts do not show up on my phone any more.
109	33	The clip from Saturday has vanished and I need it for the police.
110	40	Long delay between the ring and the notification.
111	47	Light is flashing nervously at low brightness.
112	4	After a few wrong tries the app told me I'm locked out.
113	11	Could you send me a proper bill as a PDF?
114	18	I got only three bulbs instead of four.
115	25	App freezes on the start screen on my Samsung.
116	32	The stream from the garden camera keeps buffering.
117	39	The chime hums all the time since I installed the video bell.
118	46	I bought a used bulb and it still belongs to the former owner.
119	3	Two step verification says code expired, every single time.
120	10	Your mail says my plan is paused since the card was declined.
121	17	Damaged on arrival: the glass of the thermostat is scratched.
122	24	Upstairs sensors lose their connection, downstairs is fine.
123	31	After dark I can't see anything on the camera, just a glare.
124	38	Can I use my existing 8V transformer for the doorbell?
125	45	Open window detection is annoying, how do I disable it?
126	2	Where does the reset link go? My old work mailbox was closed last month.
127	9	Why did you take the money two times?
128	16	Where do I get a return label?
129	23	The app says an update is required but nothing happens.
130	30	The voice assistant does not respond to my lights since yesterday.
131	37	The microphone of the camera does not work.
132	44	Display is blank, I put in rechargeable batteries.
133	1	How do I reset my password? I changed phones and the new one asks for it.
134	8	Can I get a refund for the annual subscription that was taken yesterday?
135	15	Please cancel my order from this morning.
136	22	New router at home. Do I have to set everything up again?
137	29	Everything is displayed in French since I travelled.
138	36	The picture has a green tint since the update.
139	43	I can't get the temperature down, it heats all night.
140	50	How can I hide a part of the image?
141	7	Please end my Plus membership at the end of this month.
142	14	The carrier claims I signed for it, I did not.
143	21	I can't add my new base station, it is not discovered.
144	28	Routine at 7:00 starts at 8:00, why?
145	35	Why is the battery drained so fast?
146	42	Radiator in the bedroom never gets warm, the valve clicks though.
147	49	Do your employees have access to the footage?
148	6	How do I permanently remove my profile?
149	13	The tracking page has not changed for three days.
150	20	My base station shows a solid red LED.
151	40	Answering the door in the app is much too slow.
152	47	Is your bulb compatible with a dimmer switch?
153	4	Account suspended for security reasons, please unblock it.
154	11	The invoice shows my private address, it should show the business.
155	18	The manual and the adapter were not included.
156	25	I only see a white screen when I start the application.
157	32	The image quality is terrible and it lags several seconds.
158	39	How do I connect the doorbell with my existing chime?
159	46	A bulb does not answer, I want to set it up from scratch.
160	3	Got a new phone, the authenticator is empty and I am locked out.
161	10	I have a new credit card number, where do I put it in?
162	17	Two of the four bulbs in the pack are shattered.
163	24	Is there a repeater? The signal does not get to the cellar.
164	31	The camera behind the window is blind at night.
165	38	Video doorbell turns off whenever somebody presses the button.
166	45	It stops heating whenever I air the hall next door.
167	2	You keep sending the reset code to an address that does not exist any more.
168	9	I see a double booking of 129 euros for one order.
169	16	Can I give the bulbs back? I opened the box but did not use them.
170	23	Which version should my base station have? It still shows 2.1.
171	30	I can't link my account with Alexa.
172	37	Two-way talk is silent on my side.
173	44	Which batteries does the thermostat take?
174	1	Sign-in fails with 'invalid credentials' since yesterday evening.
175	8	Unwanted renewal of 59.90, please return the payment.
176	15	I clicked twice and ordered two hubs, remove one please.
177	22	Hub lost the connection since I renamed my wireless network.
178	29	Can I switch the menu to Spanish?
179	36	Camera shows strange colours in daylight.
180	43	The valve does not close any more.
181	50	The landlord says the doorbell must not film the stairs.
182	7	Where is the button to unsubscribe from the paid plan?
183	14	Package marked as delivered yesterday, we were home all day and nobody came.
184	21	Installing the hub for the first time, the app says no device found.
185	28	Timers are off by one hour after the holiday.
186	35	I have to recharge the camera constantly.
187	42	It is freezing, the thermostat says heating but nothing happens.
188	49	Do you pass my data on to others?
189	6	I sold everything and don't need the account any more, erase it please.
190	13	I am still waiting for my thermostat, any news about the shipment?
191	20	After the thunderstorm the hub does not come back, only a red light.
192	27	How can I make it alert me about people only?
193	34	Which size of SD card does the camera take?
194	41	Displayed room temperature does not match my thermometer.
195	48	Every time the fuse trips, the bedroom light switches on at full brightness.
196	5	My flatmate needs access to the front door camera, how do I share it?
197	12	My gift code is not accepted at checkout.
198	19	Do you repair devices that are a year and a half old?
199	26	No alarm on my mobile although the camera recorded something.
200	33	My old camera footage is gone, can you restore it?
\.
