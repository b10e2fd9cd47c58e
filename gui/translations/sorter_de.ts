<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE">
<context>
    <name>AnswerBar</name>
    <message>
        <source>Enter</source>
        <translation>Eingabe</translation>
    </message>
    <message>
        <source>Right</source>
        <translation>Richtig</translation>
    </message>
    <message>
        <source>Unsure</source>
        <translation>Unsicher</translation>
    </message>
    <message>
        <source>Set aside</source>
        <translation>Beiseitegelegt</translation>
    </message>
    <message>
        <source>Skip</source>
        <translation>Überspringen</translation>
    </message>
</context>
<context>
    <name>Appearance</name>
    <message>
        <source>As the &amp;system</source>
        <translation>Wie das &amp;System</translation>
    </message>
    <message>
        <source>&amp;Light</source>
        <translation>&amp;Hell</translation>
    </message>
    <message>
        <source>&amp;Dark</source>
        <translation>&amp;Dunkel</translation>
    </message>
</context>
<context>
    <name>ApplyDialog</name>
    <message>
        <source>Move photos</source>
        <translation>Fotos verschieben</translation>
    </message>
    <message>
        <source>Photos that will move to another folder: {count}. Nothing is overwritten, and “Undo the last move” moves them back.</source>
        <translation>Fotos, die in einen anderen Ordner kommen: {count}. Nichts wird überschrieben, und „Letztes Verschieben rückgängig“ bringt sie zurück.</translation>
    </message>
    <message>
        <source>From</source>
        <translation>Von</translation>
    </message>
    <message>
        <source>To</source>
        <translation>Nach</translation>
    </message>
    <message>
        <source>Photos</source>
        <translation>Fotos</translation>
    </message>
    <message>
        <source>Photos by folder</source>
        <translation>Fotos nach Ordnern</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Single photos</source>
        <translation>Einzelne Fotos</translation>
    </message>
    <message>
        <source>&amp;Move</source>
        <translation>&amp;Verschieben</translation>
    </message>
    <message>
        <source>and {count} more</source>
        <translation>und {count} weitere</translation>
    </message>
</context>
<context>
    <name>ClassCard</name>
    <message>
        <source>Name of the class</source>
        <translation>Name der Klasse</translation>
    </message>
    <message>
        <source>Name, such as: Beach</source>
        <translation>Name, zum Beispiel: Strand</translation>
    </message>
    <message>
        <source>Photos of this class</source>
        <translation>Fotos dieser Klasse</translation>
    </message>
    <message>
        <source>Add &amp;photos...</source>
        <translation>&amp;Fotos hinzufügen...</translation>
    </message>
    <message>
        <source>Add photos of this class</source>
        <translation>Fotos dieser Klasse hinzufügen</translation>
    </message>
    <message>
        <source>Add a &amp;folder...</source>
        <translation>&amp;Ordner hinzufügen...</translation>
    </message>
    <message>
        <source>Add a folder of photos of this class</source>
        <translation>Einen Ordner mit Fotos dieser Klasse hinzufügen</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Remove this class</source>
        <translation>Diese Klasse entfernen</translation>
    </message>
    <message>
        <source>A folder of photos of this class</source>
        <translation>Ein Ordner mit Fotos dieser Klasse</translation>
    </message>
    <message>
        <source>Looking...</source>
        <translation>Wird angesehen...</translation>
    </message>
    <message>
        <source>Drop photos or a folder here</source>
        <translation>Fotos oder einen Ordner hierher ziehen</translation>
    </message>
    <message>
        <source>{count} photos, {more} more needed</source>
        <translation>{count} Fotos, {more} weitere nötig</translation>
    </message>
    <message>
        <source>1 photo, {more} more needed</source>
        <translation>1 Foto, {more} weitere nötig</translation>
    </message>
    <message>
        <source>{count} photos, {enough} are better</source>
        <translation>{count} Fotos, {enough} sind besser</translation>
    </message>
    <message>
        <source>{count} photos</source>
        <translation>{count} Fotos</translation>
    </message>
</context>
<context>
    <name>ClassChanges</name>
    <message>
        <source>New class {name}. Mark photos as it, then improve the model.</source>
        <translation>Neue Klasse {name}. Markieren Sie Fotos so, und verbessern Sie dann das Modell.</translation>
    </message>
    <message>
        <source>{old} is called {new} now.</source>
        <translation>{old} heißt jetzt {new}.</translation>
    </message>
    <message>
        <source>{old} is a part of {new} now.</source>
        <translation>{old} ist jetzt ein Teil von {new}.</translation>
    </message>
    <message>
        <source>{name} is removed. Its photos are unsure.</source>
        <translation>{name} ist entfernt. Die Fotos darin sind unsicher.</translation>
    </message>
</context>
<context>
    <name>CleanPage</name>
    <message>
        <source>files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>Result of the search</source>
        <translation>Ergebnis der Suche</translation>
    </message>
    <message>
        <source>Folder to clean</source>
        <translation>Ordner zum Aufräumen</translation>
    </message>
    <message>
        <source>A folder of photos; drop one here or choose it</source>
        <translation>Ein Ordner mit Fotos; hierher ziehen oder wählen</translation>
    </message>
    <message>
        <source>&amp;Folder</source>
        <translation>&amp;Ordner</translation>
    </message>
    <message>
        <source>Choose...</source>
        <translation>Wählen...</translation>
    </message>
    <message>
        <source>Choose a folder to clean</source>
        <translation>Ordner zum Aufräumen wählen</translation>
    </message>
    <message>
        <source>Find &amp;duplicates and broken files</source>
        <translation>&amp;Doppelte und defekte Dateien suchen</translation>
    </message>
    <message>
        <source>Read every file and find broken ones and duplicates. Nothing is changed.</source>
        <translation>Jede Datei lesen und defekte und doppelte finden. Nichts wird verändert.</translation>
    </message>
    <message>
        <source>Keep &amp;best only</source>
        <translation>Nur das &amp;beste behalten</translation>
    </message>
    <message>
        <source>Of this group, keep only the best copy</source>
        <translation>Von dieser Gruppe nur das beste Exemplar behalten</translation>
    </message>
    <message>
        <source>Keep &amp;all</source>
        <translation>&amp;Alle behalten</translation>
    </message>
    <message>
        <source>Keep every file of this group</source>
        <translation>Jede Datei dieser Gruppe behalten</translation>
    </message>
    <message>
        <source>&amp;Put back</source>
        <translation>&amp;Zurücklegen</translation>
    </message>
    <message>
        <source>Put every file in the quarantine back where it was</source>
        <translation>Jede beiseitegelegte Datei dorthin zurücklegen, wo sie war</translation>
    </message>
    <message>
        <source>&amp;Report...</source>
        <translation>Be&amp;richt...</translation>
    </message>
    <message>
        <source>Everything found and done, in the browser</source>
        <translation>Alles Gefundene und Getane, im Browser</translation>
    </message>
    <message>
        <source>&amp;Set aside files</source>
        <translation>Dateien &amp;beiseitelegen</translation>
    </message>
    <message>
        <source>A folder of photos</source>
        <translation>Ein Ordner mit Fotos</translation>
    </message>
    <message>
        <source>Choose a folder of photos first, or drop one here.</source>
        <translation>Wählen Sie zuerst einen Ordner mit Fotos, oder ziehen Sie einen hierher.</translation>
    </message>
    <message>
        <source>Reading every file</source>
        <translation>Jede Datei wird gelesen</translation>
    </message>
    <message>
        <source>Stopped. Results so far are kept. Searching again continues from there.</source>
        <translation>Angehalten. Die bisherigen Ergebnisse bleiben. Eine neue Suche macht dort weiter.</translation>
    </message>
    <message>
        <source>Finds broken files and copies of the same picture. Nothing is touched before you say so, and files that you set aside can be put back.</source>
        <translation>Findet defekte Dateien und Kopien desselben Bildes. Nichts wird angerührt, bevor Sie es sagen, und beiseitegelegte Dateien lassen sich zurücklegen.</translation>
    </message>
    <message>
        <source>{n} {kind}</source>
        <translation>{n} {kind}</translation>
    </message>
    <message>
        <source>{n} files read: nothing is wrong with any of them.</source>
        <translation>{n} Dateien gelesen: mit allen ist alles in Ordnung.</translation>
    </message>
    <message>
        <source>{n} files read: {parts}; {groups} groups of the same picture.</source>
        <translation>{n} Dateien gelesen: {parts}; {groups} Gruppen desselben Bildes.</translation>
    </message>
    <message>
        <source>The first are listed. The others follow when these are done.</source>
        <translation>Die ersten stehen in der Liste. Die anderen folgen, wenn diese erledigt sind.</translation>
    </message>
    <message>
        <source>One copy has to stay. Choose another one to keep first.</source>
        <translation>Ein Exemplar muss bleiben. Wählen Sie zuerst ein anderes, das bleibt.</translation>
    </message>
    <message>
        <source>&amp;Set aside 1 file ({size})</source>
        <translation>1 Datei &amp;beiseitelegen ({size})</translation>
    </message>
    <message>
        <source>&amp;Set aside {n} files ({size})</source>
        <translation>{n} Dateien &amp;beiseitelegen ({size})</translation>
    </message>
    <message>
        <source>Move them to {folder}. “Put back” moves them back.</source>
        <translation>Nach {folder} verschieben. „Zurücklegen“ bringt sie zurück.</translation>
    </message>
    <message>
        <source>Setting files aside</source>
        <translation>Dateien werden beiseitegelegt</translation>
    </message>
    <message>
        <source>{folder} holds {n} files. “Put back” moves them back.</source>
        <translation>In {folder} liegen {n} Dateien. „Zurücklegen“ bringt sie zurück.</translation>
    </message>
    <message>
        <source>{n} stay where they are: {why}</source>
        <translation>{n} bleiben, wo sie sind: {why}</translation>
    </message>
    <message>
        <source>Putting files back</source>
        <translation>Dateien werden zurückgelegt</translation>
    </message>
    <message>
        <source>{n} files are back where they were.</source>
        <translation>{n} Dateien sind wieder, wo sie waren.</translation>
    </message>
    <message>
        <source>Left: {path}: {why}</source>
        <translation>Geblieben: {path}: {why}</translation>
    </message>
</context>
<context>
    <name>Commands</name>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>&amp;Wiederholen</translation>
    </message>
    <message>
        <source>&amp;Confirm</source>
        <translation>&amp;Bestätigen</translation>
    </message>
    <message>
        <source>The model is right about every photo shown here. Undo takes it back.</source>
        <translation>Das Modell hat bei jedem gezeigten Foto recht. Rückgängig nimmt es zurück.</translation>
    </message>
    <message>
        <source>C&amp;lear my mark</source>
        <translation>Meine Markierung &amp;löschen</translation>
    </message>
    <message>
        <source>Select &amp;all</source>
        <translation>&amp;Alles auswählen</translation>
    </message>
    <message>
        <source>Copy file &amp;paths</source>
        <translation>Datei&amp;pfade kopieren</translation>
    </message>
    <message>
        <source>&amp;Find by name</source>
        <translation>Nach Namen &amp;suchen</translation>
    </message>
    <message>
        <source>&amp;Preview</source>
        <translation>&amp;Vorschau</translation>
    </message>
    <message>
        <source>&amp;Grid</source>
        <translation>&amp;Raster</translation>
    </message>
    <message>
        <source>&amp;Single</source>
        <translation>&amp;Einzeln</translation>
    </message>
    <message>
        <source>&amp;Compare</source>
        <translation>&amp;Vergleichen</translation>
    </message>
    <message>
        <source>&amp;Inspector</source>
        <translation>&amp;Details</translation>
    </message>
    <message>
        <source>&amp;What it saw</source>
        <translation>&amp;Was es sah</translation>
    </message>
    <message>
        <source>Photo &amp;only</source>
        <translation>&amp;Nur das Foto</translation>
    </message>
    <message>
        <source>Zoom &amp;in</source>
        <translation>Ver&amp;größern</translation>
    </message>
    <message>
        <source>Zoom &amp;out</source>
        <translation>Ver&amp;kleinern</translation>
    </message>
    <message>
        <source>&amp;Fit to window</source>
        <translation>&amp;An Fenster anpassen</translation>
    </message>
    <message>
        <source>&amp;Move photos...</source>
        <translation>Fotos &amp;verschieben...</translation>
    </message>
    <message>
        <source>Move the photos to the folders of their classes (Ctrl+Return)</source>
        <translation>Die Fotos in die Ordner ihrer Klassen verschieben (Strg+Eingabe)</translation>
    </message>
    <message>
        <source>Undo the last mo&amp;ve</source>
        <translation>&amp;Letztes Verschieben rückgängig</translation>
    </message>
    <message>
        <source>Put everything &amp;back...</source>
        <translation>Alles &amp;zurücklegen...</translation>
    </message>
    <message>
        <source>Undo the whole sorting of this folder</source>
        <translation>Das ganze Sortieren dieses Ordners rückgängig machen</translation>
    </message>
    <message>
        <source>&amp;Export...</source>
        <translation>&amp;Exportieren...</translation>
    </message>
    <message>
        <source>Copy the photos elsewhere, in a folder for each class (Ctrl+E)</source>
        <translation>Die Fotos anderswohin kopieren, in einen Ordner für jede Klasse (Strg+E)</translation>
    </message>
    <message>
        <source>&amp;Improve model...</source>
        <translation>Modell &amp;verbessern...</translation>
    </message>
    <message>
        <source>Train a model on the photos you checked (Ctrl+T)</source>
        <translation>Ein Modell aus den geprüften Fotos lernen lassen (Strg+T)</translation>
    </message>
    <message>
        <source>Confirm all {number} &amp;shown</source>
        <translation>Alle {number} &amp;gezeigten bestätigen</translation>
    </message>
</context>
<context>
    <name>Compare</name>
    <message>
        <source>Files side by side</source>
        <translation>Dateien nebeneinander</translation>
    </message>
    <message>
        <source>and {n} more</source>
        <translation>und {n} weitere</translation>
    </message>
    <message>
        <source>Choose a line on the left to see its files here, side by side.</source>
        <translation>Wählen Sie links eine Zeile, um ihre Dateien hier nebeneinander zu sehen.</translation>
    </message>
</context>
<context>
    <name>CompareView</name>
    <message>
        <source>Photos side by side</source>
        <translation>Fotos nebeneinander</translation>
    </message>
    <message>
        <source>{certainty} sure</source>
        <translation>{certainty} sicher</translation>
    </message>
</context>
<context>
    <name>Corrections</name>
    <message>
        <source>Marked as {label}.</source>
        <translation>Als {label} markiert.</translation>
    </message>
    <message>
        <source>{number} photos marked as {label}.</source>
        <translation>{number} Fotos als {label} markiert.</translation>
    </message>
    <message>
        <source>Mark cleared.</source>
        <translation>Markierung gelöscht.</translation>
    </message>
    <message>
        <source>{number} marks cleared.</source>
        <translation>{number} Markierungen gelöscht.</translation>
    </message>
    <message>
        <source>Confirmed.</source>
        <translation>Bestätigt.</translation>
    </message>
    <message>
        <source>{number} photos confirmed.</source>
        <translation>{number} Fotos bestätigt.</translation>
    </message>
    <message>
        <source>Marked as unsure.</source>
        <translation>Als unsicher markiert.</translation>
    </message>
    <message>
        <source>{number} photos marked as unsure.</source>
        <translation>{number} Fotos als unsicher markiert.</translation>
    </message>
    <message>
        <source>Set aside.</source>
        <translation>Beiseitegelegt.</translation>
    </message>
    <message>
        <source>{number} photos set aside.</source>
        <translation>{number} Fotos beiseitegelegt.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>The change of the classes is undone or redone.</source>
        <translation>Die Änderung der Klassen ist zurückgenommen oder wiederholt.</translation>
    </message>
    <message>
        <source>The threshold is back where it was.</source>
        <translation>Die Schwelle steht wieder, wo sie war.</translation>
    </message>
</context>
<context>
    <name>Curves</name>
    <message>
        <source>Error and right answers of every round will be drawn here.</source>
        <translation>Fehler und richtige Antworten jeder Runde werden hier gezeichnet.</translation>
    </message>
    <message>
        <source>Curves of error and right answers</source>
        <translation>Kurven von Fehler und richtigen Antworten</translation>
    </message>
    <message>
        <source>The part of Sorter that draws curves is not installed.</source>
        <translation>Der Teil von Sorter, der Kurven zeichnet, ist nicht installiert.</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>training</source>
        <translation>Lernen</translation>
    </message>
    <message>
        <source>validation</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Right answers</source>
        <translation>Richtige Antworten</translation>
    </message>
    <message>
        <source>round</source>
        <translation>Runde</translation>
    </message>
</context>
<context>
    <name>Details</name>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Guess</source>
        <translation>Vermutung</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Sie</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>File date</source>
        <translation>Dateidatum</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <source>Will move to</source>
        <translation>Kommt nach</translation>
    </message>
    <message>
        <source>Taken</source>
        <translation>Aufgenommen</translation>
    </message>
    <message>
        <source>Goes with it</source>
        <translation>Gehört dazu</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>1 file</source>
        <translation>1 Datei</translation>
    </message>
    <message>
        <source>{count} files</source>
        <translation>{count} Dateien</translation>
    </message>
    <message>
        <source>{label}, {certainty} sure</source>
        <translation>{label}, {certainty} sicher</translation>
    </message>
    <message>
        <source>not checked</source>
        <translation>nicht geprüft</translation>
    </message>
    <message>
        <source>changed to {label}</source>
        <translation>geändert in {label}</translation>
    </message>
    <message>
        <source>confirmed as {label}</source>
        <translation>als {label} bestätigt</translation>
    </message>
</context>
<context>
    <name>DropArea</name>
    <message>
        <source>Sort photos: drop a folder here</source>
        <translation>Fotos sortieren: einen Ordner hierher ziehen</translation>
    </message>
    <message>
        <source>Choose a &amp;folder...</source>
        <translation>&amp;Ordner wählen...</translation>
    </message>
    <message>
        <source>Choose a folder of photos</source>
        <translation>Einen Ordner mit Fotos wählen</translation>
    </message>
</context>
<context>
    <name>EmptyState</name>
    <message>
        <source>Why there is nothing here</source>
        <translation>Warum hier nichts ist</translation>
    </message>
    <message>
        <source>Clear the filters</source>
        <translation>Filter aufheben</translation>
    </message>
</context>
<context>
    <name>EntryDelegate</name>
    <message>
        <source>Name of the class</source>
        <translation>Name der Klasse</translation>
    </message>
</context>
<context>
    <name>EntryList</name>
    <message>
        <source>Classes</source>
        <translation>Klassen</translation>
    </message>
</context>
<context>
    <name>EntryModel</name>
    <message>
        <source>{count} photos</source>
        <translation>{count} Fotos</translation>
    </message>
    <message>
        <source>{share} % checked</source>
        <translation>{share} % geprüft</translation>
    </message>
    <message>
        <source>key {key}</source>
        <translation>Taste {key}</translation>
    </message>
    <message>
        <source>Drop photos here to mark them. Double click to rename, right click for more.</source>
        <translation>Fotos hierher ziehen, um sie zu markieren. Doppelklick benennt um, Rechtsklick zeigt mehr.</translation>
    </message>
</context>
<context>
    <name>ExportDialog</name>
    <message>
        <source>Export</source>
        <translation>Exportieren</translation>
    </message>
    <message>
        <source>Copies the photos into a folder for each class. Nothing is moved.</source>
        <translation>Kopiert die Fotos in einen Ordner für jede Klasse. Nichts wird verschoben.</translation>
    </message>
    <message>
        <source>&amp;All photos ({n})</source>
        <translation>&amp;Alle Fotos ({n})</translation>
    </message>
    <message>
        <source>Only those you &amp;checked ({n})</source>
        <translation>Nur die &amp;geprüften ({n})</translation>
    </message>
    <message>
        <source>Copy to</source>
        <translation>Kopieren nach</translation>
    </message>
    <message>
        <source>Copy &amp;to</source>
        <translation>Kopieren &amp;nach</translation>
    </message>
    <message>
        <source>Choose...</source>
        <translation>Wählen...</translation>
    </message>
    <message>
        <source>Choose where to copy the photos</source>
        <translation>Wählen, wohin die Fotos kopiert werden</translation>
    </message>
    <message>
        <source>&amp;Copy</source>
        <translation>&amp;Kopieren</translation>
    </message>
    <message>
        <source>{folder} export</source>
        <translation>{folder} Export</translation>
    </message>
</context>
<context>
    <name>FaultList</name>
    <message>
        <source>Groups of duplicates and broken files</source>
        <translation>Gruppen doppelter Dateien und defekte Dateien</translation>
    </message>
    <message>
        <source>{name}: {reason}</source>
        <translation>{name}: {reason}</translation>
    </message>
    <message>
        <source>remove</source>
        <translation>entfernen</translation>
    </message>
    <message>
        <source>keep</source>
        <translation>behalten</translation>
    </message>
    <message>
        <source>{n} identical: {name}</source>
        <translation>{n} identische: {name}</translation>
    </message>
    <message>
        <source>{n} similar: {name}</source>
        <translation>{n} ähnliche: {name}</translation>
    </message>
    <message>
        <source>keep both</source>
        <translation>beide behalten</translation>
    </message>
    <message>
        <source>keep all</source>
        <translation>alle behalten</translation>
    </message>
    <message>
        <source>remove {n}</source>
        <translation>{n} entfernen</translation>
    </message>
</context>
<context>
    <name>FileCard</name>
    <message>
        <source>…</source>
        <translation>…</translation>
    </message>
    <message>
        <source>cannot be shown</source>
        <translation>kann nicht gezeigt werden</translation>
    </message>
    <message>
        <source>Picture of {name}</source>
        <translation>Bild von {name}</translation>
    </message>
    <message>
        <source>  · best copy</source>
        <translation>  · bestes Exemplar</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Keep {name}</source>
        <translation>{name} behalten</translation>
    </message>
    <message>
        <source>Files that are not kept are set aside</source>
        <translation>Dateien, die nicht bleiben, werden beiseitegelegt</translation>
    </message>
</context>
<context>
    <name>Filmstrip</name>
    <message>
        <source>Filmstrip</source>
        <translation>Filmstreifen</translation>
    </message>
    <message>
        <source>The photos before and after</source>
        <translation>Die Fotos davor und danach</translation>
    </message>
</context>
<context>
    <name>FilterBar</name>
    <message>
        <source>Search file names</source>
        <translation>Dateinamen suchen</translation>
    </message>
    <message>
        <source>Only names that contain</source>
        <translation>Nur Namen, die dies enthalten</translation>
    </message>
    <message>
        <source>At least so sure</source>
        <translation>Mindestens so sicher</translation>
    </message>
    <message>
        <source>At most so sure</source>
        <translation>Höchstens so sicher</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>To check</source>
        <translation>Zu prüfen</translation>
    </message>
    <message>
        <source>Changed</source>
        <translation>Geändert</translation>
    </message>
    <message>
        <source>Confirmed</source>
        <translation>Bestätigt</translation>
    </message>
    <message>
        <source>Checked or not</source>
        <translation>Geprüft oder nicht</translation>
    </message>
    <message>
        <source>Least certain first</source>
        <translation>Unsicherste zuerst</translation>
    </message>
    <message>
        <source>Highest probability first</source>
        <translation>Höchste Wahrscheinlichkeit zuerst</translation>
    </message>
    <message>
        <source>Lowest probability first</source>
        <translation>Niedrigste Wahrscheinlichkeit zuerst</translation>
    </message>
    <message>
        <source>By name</source>
        <translation>Nach Namen</translation>
    </message>
    <message>
        <source>Newest first</source>
        <translation>Neueste zuerst</translation>
    </message>
    <message>
        <source>By class</source>
        <translation>Nach Klassen</translation>
    </message>
    <message>
        <source>Order</source>
        <translation>Reihenfolge</translation>
    </message>
    <message>
        <source>Size of thumbnails</source>
        <translation>Größe der Miniaturen</translation>
    </message>
    <message>
        <source>Filter</source>
        <translation>Filter</translation>
    </message>
    <message>
        <source>Only photos of which the model is so sure, or that you checked</source>
        <translation>Nur Fotos, bei denen das Modell so sicher ist oder die Sie geprüft haben</translation>
    </message>
    <message>
        <source>How s&amp;ure</source>
        <translation>Wie &amp;sicher</translation>
    </message>
    <message>
        <source>to</source>
        <translation>bis</translation>
    </message>
    <message>
        <source>Chec&amp;ked</source>
        <translation>&amp;Geprüft</translation>
    </message>
    <message>
        <source>Clear the filters</source>
        <translation>Filter aufheben</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
</context>
<context>
    <name>FolderMenu</name>
    <message>
        <source>No folder was sorted yet</source>
        <translation>Noch kein Ordner wurde sortiert</translation>
    </message>
    <message>
        <source>&amp;Sort photos...</source>
        <translation>Fotos &amp;sortieren...</translation>
    </message>
    <message>
        <source>&amp;Open results...</source>
        <translation>Ergebnisse &amp;öffnen...</translation>
    </message>
    <message>
        <source>&amp;Continue sorting</source>
        <translation>Sortieren &amp;fortsetzen</translation>
    </message>
    <message>
        <source>S&amp;how in file manager</source>
        <translation>Im Datei&amp;manager zeigen</translation>
    </message>
    <message>
        <source>&amp;Remove from this list</source>
        <translation>Aus dieser Liste &amp;entfernen</translation>
    </message>
</context>
<context>
    <name>FolderWork</name>
    <message>
        <source>Every photo is in the right folder. There is nothing to move.</source>
        <translation>Jedes Foto ist im richtigen Ordner. Es gibt nichts zu verschieben.</translation>
    </message>
    <message>
        <source>No photo of this run is in its output folder, so there is nothing to move. Export copies.</source>
        <translation>Kein Foto liegt im Ausgabeordner, es gibt also nichts zu verschieben. Exportieren kopiert.</translation>
    </message>
    <message>
        <source>Moving photos to the folders of their classes</source>
        <translation>Fotos werden in die Ordner ihrer Klassen verschoben</translation>
    </message>
    <message>
        <source>Photos moved: {count}.</source>
        <translation>Verschobene Fotos: {count}.</translation>
    </message>
    <message>
        <source>Moving photos back</source>
        <translation>Fotos werden zurückverschoben</translation>
    </message>
    <message>
        <source>Photos moved back: {count}. Your marks are kept.</source>
        <translation>Zurückverschobene Fotos: {count}. Ihre Markierungen bleiben.</translation>
    </message>
    <message>
        <source>Copying the sorted photos</source>
        <translation>Die sortierten Fotos werden kopiert</translation>
    </message>
    <message>
        <source>Photos copied to {folder}: {count}, with a table of them.</source>
        <translation>Nach {folder} kopierte Fotos: {count}, mit einer Tabelle.</translation>
    </message>
    <message>
        <source>Stopped. What is done stays done. The same button does the rest.</source>
        <translation>Angehalten. Was getan ist, bleibt getan. Derselbe Knopf macht den Rest.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Left where they are: {count}. {which}</source>
        <translation>Geblieben, wo sie sind: {count}. {which}</translation>
    </message>
</context>
<context>
    <name>GuessBars</name>
    <message>
        <source>Guess of the model</source>
        <translation>Vermutung des Modells</translation>
    </message>
</context>
<context>
    <name>HeldOutModel</name>
    <message>
        <source>Photo</source>
        <translation>Foto</translation>
    </message>
    <message>
        <source>You say</source>
        <translation>Sie sagen</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>Vorher</translation>
    </message>
    <message>
        <source>After</source>
        <translation>Nachher</translation>
    </message>
    <message>
        <source>{label} (not corrected)</source>
        <translation>{label} (nicht korrigiert)</translation>
    </message>
    <message>
        <source>could not be read</source>
        <translation>nicht lesbar</translation>
    </message>
</context>
<context>
    <name>HeldOutTable</name>
    <message>
        <source>Photos held out, before and after</source>
        <translation>Zurückgehaltene Fotos, vorher und nachher</translation>
    </message>
</context>
<context>
    <name>Histogram</name>
    <message>
        <source>Histogram of probabilities with the threshold</source>
        <translation>Verteilung der Wahrscheinlichkeiten mit der Schwelle</translation>
    </message>
    <message>
        <source>Drag to move the threshold; Left and Right move it by 0.01</source>
        <translation>Ziehen verschiebt die Schwelle; Links und Rechts verschieben sie um 0,01</translation>
    </message>
</context>
<context>
    <name>Home</name>
    <message>
        <source>Sorter looks at your photos and puts them into a folder for each class, such as “car”.</source>
        <translation>Sorter sieht sich Ihre Fotos an und legt sie in einen Ordner für jede Klasse, zum Beispiel „Auto“.</translation>
    </message>
    <message>
        <source>Teach your own classes</source>
        <translation>Eigene Klassen beibringen</translation>
    </message>
    <message>
        <source>Name two, give each ten photos. Learning takes seconds.</source>
        <translation>Zwei benennen, jeder zehn Fotos geben. Das Lernen dauert Sekunden.</translation>
    </message>
    <message>
        <source>Try with samples</source>
        <translation>Mit Beispielen ausprobieren</translation>
    </message>
    <message>
        <source>Forests, seas and sunsets that Sorter draws. None of your photos is needed.</source>
        <translation>Wälder, Meere und Sonnenuntergänge, die Sorter zeichnet. Es braucht keines Ihrer Fotos.</translation>
    </message>
</context>
<context>
    <name>HoverKeys</name>
    <message>
        <source>Mark as {label}</source>
        <translation>Als {label} markieren</translation>
    </message>
    <message>
        <source>Confirm</source>
        <translation>Bestätigen</translation>
    </message>
</context>
<context>
    <name>Job</name>
    <message>
        <source>The process that did the work {how}. Nothing on disk is lost; start it again, and it goes on where it stopped.</source>
        <translation>Der Prozess, der die Arbeit tat, {how}. Auf der Festplatte ist nichts verloren; starten Sie ihn neu, und er macht weiter, wo er aufhörte.</translation>
    </message>
</context>
<context>
    <name>LanguageMenu</name>
    <message>
        <source>&amp;Language</source>
        <translation>&amp;Sprache</translation>
    </message>
    <message>
        <source>As the &amp;system</source>
        <translation>Wie das &amp;System</translation>
    </message>
    <message>
        <source>Sorter</source>
        <translation>Sorter</translation>
    </message>
    <message>
        <source>Sorter speaks this language from its next start on.</source>
        <translation>Sorter spricht diese Sprache ab dem nächsten Start.</translation>
    </message>
</context>
<context>
    <name>LearningSteps</name>
    <message>
        <source>Reading photos</source>
        <translation>Fotos werden gelesen</translation>
    </message>
    <message>
        <source>Learning</source>
        <translation>Lernen</translation>
    </message>
    <message>
        <source>Checking and saving</source>
        <translation>Prüfen und speichern</translation>
    </message>
</context>
<context>
    <name>LeftDialog</name>
    <message>
        <source>Not put back</source>
        <translation>Nicht zurückgelegt</translation>
    </message>
    <message>
        <source>These photos stay where they are. Nothing happened to them.</source>
        <translation>Diese Fotos bleiben, wo sie sind. Ihnen ist nichts geschehen.</translation>
    </message>
    <message>
        <source>Photo</source>
        <translation>Foto</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Warum</translation>
    </message>
    <message>
        <source>Photos that were not put back</source>
        <translation>Fotos, die nicht zurückgelegt wurden</translation>
    </message>
</context>
<context>
    <name>Menus</name>
    <message>
        <source>&amp;Open results...</source>
        <translation>Ergebnisse &amp;öffnen...</translation>
    </message>
    <message>
        <source>&amp;Preferences...</source>
        <translation>&amp;Einstellungen...</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>&amp;Full screen</source>
        <translation>&amp;Vollbild</translation>
    </message>
    <message>
        <source>&amp;Keyboard shortcuts</source>
        <translation>&amp;Tastenkürzel</translation>
    </message>
    <message>
        <source>&amp;About</source>
        <translation>&amp;Über Sorter</translation>
    </message>
    <message>
        <source>&amp;Sort photos</source>
        <translation>Fotos &amp;sortieren</translation>
    </message>
    <message>
        <source>&amp;Review photos</source>
        <translation>Fotos &amp;durchsehen</translation>
    </message>
    <message>
        <source>&amp;Improve model</source>
        <translation>Modell &amp;verbessern</translation>
    </message>
    <message>
        <source>&amp;Find duplicates</source>
        <translation>&amp;Doppelte suchen</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Bearbeiten</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>&amp;Photos</source>
        <translation>&amp;Fotos</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation>&amp;Farben</translation>
    </message>
</context>
<context>
    <name>ModelCard</name>
    <message>
        <source>MODEL</source>
        <translation>MODELL</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Photos to learn from</source>
        <translation>Fotos, aus denen es lernt</translation>
    </message>
    <message>
        <source>Improve...</source>
        <translation>Verbessern...</translation>
    </message>
    <message>
        <source>Improve the model</source>
        <translation>Das Modell verbessern</translation>
    </message>
    <message>
        <source>Let the model learn from the photos you checked (Ctrl+T)</source>
        <translation>Das Modell aus den geprüften Fotos lernen lassen (Strg+T)</translation>
    </message>
    <message>
        <source>{count} marks</source>
        <translation>{count} Markierungen</translation>
    </message>
</context>
<context>
    <name>ModelCards</name>
    <message>
        <source>Cars</source>
        <translation>Autos</translation>
    </message>
    <message>
        <source>Finds photos of cars</source>
        <translation>Findet Fotos von Autos</translation>
    </message>
    <message>
        <source>&amp;Add photos to its classes...</source>
        <translation>&amp;Fotos zu seinen Klassen hinzufügen...</translation>
    </message>
    <message>
        <source>&amp;Show in file manager</source>
        <translation>Im &amp;Dateimanager zeigen</translation>
    </message>
    <message>
        <source>&amp;Throw away</source>
        <translation>&amp;Wegwerfen</translation>
    </message>
    <message>
        <source>&amp;Remove from this list</source>
        <translation>Aus dieser Liste &amp;entfernen</translation>
    </message>
</context>
<context>
    <name>NextStep</name>
    <message>
        <source>Sort photos</source>
        <translation>Fotos sortieren</translation>
    </message>
    <message>
        <source>Move {count}...</source>
        <translation>{count} verschieben...</translation>
    </message>
    <message>
        <source>Confirm {count}</source>
        <translation>{count} bestätigen</translation>
    </message>
    <message>
        <source>Improve model...</source>
        <translation>Modell verbessern...</translation>
    </message>
    <message>
        <source>Next step: {step}</source>
        <translation>Nächster Schritt: {step}</translation>
    </message>
</context>
<context>
    <name>Notice</name>
    <message>
        <source>Message</source>
        <translation>Meldung</translation>
    </message>
    <message>
        <source>Next step</source>
        <translation>Nächster Schritt</translation>
    </message>
</context>
<context>
    <name>Outcome</name>
    <message>
        <source>There are too few photos to compare the two models. Check 20 more first?</source>
        <translation>Es gibt zu wenige Fotos, um die beiden Modelle zu vergleichen. Erst 20 weitere prüfen?</translation>
    </message>
    <message>
        <source>Of {n} mistakes kept aside, the new model gets {right} right.</source>
        <translation>Von {n} zurückgehaltenen Fehlern macht das neue Modell {right} richtig.</translation>
    </message>
    <message>
        <source>1 photo that was right is now wrong.</source>
        <translation>1 Foto, das richtig war, ist jetzt falsch.</translation>
    </message>
    <message>
        <source>{n} photos that were right are now wrong.</source>
        <translation>{n} Fotos, die richtig waren, sind jetzt falsch.</translation>
    </message>
    <message>
        <source>The two models decide alike. Check 20 more photos first?</source>
        <translation>Beide Modelle entscheiden gleich. Erst 20 weitere Fotos prüfen?</translation>
    </message>
    <message>
        <source>It is better.</source>
        <translation>Es ist besser.</translation>
    </message>
    <message>
        <source>It is worse. Check 20 more photos first?</source>
        <translation>Es ist schlechter. Erst 20 weitere Fotos prüfen?</translation>
    </message>
    <message>
        <source>That is about even. Check 20 more photos first?</source>
        <translation>Das hält sich etwa die Waage. Erst 20 weitere Fotos prüfen?</translation>
    </message>
    <message>
        <source>Before and after</source>
        <translation>Vorher und nachher</translation>
    </message>
    <message>
        <source>What it learned from</source>
        <translation>Woraus es gelernt hat</translation>
    </message>
    <message>
        <source>Fixed</source>
        <translation>Behoben</translation>
    </message>
    <message>
        <source>Newly wrong</source>
        <translation>Neu falsch</translation>
    </message>
    <message>
        <source>Still wrong</source>
        <translation>Weiterhin falsch</translation>
    </message>
    <message>
        <source>Use it and &amp;sort this folder again</source>
        <translation>Verwenden und diesen Ordner neu &amp;sortieren</translation>
    </message>
    <message>
        <source>Undo this folder&apos;s sorting and sort the same photos with the new model</source>
        <translation>Das Sortieren dieses Ordners rückgängig machen und dieselben Fotos mit dem neuen Modell sortieren</translation>
    </message>
    <message>
        <source>&amp;Use for new folders</source>
        <translation>Für neue Ordner &amp;verwenden</translation>
    </message>
    <message>
        <source>Keep the model. You can choose it when you sort photos.</source>
        <translation>Das Modell behalten. Sie können es wählen, wenn Sie Fotos sortieren.</translation>
    </message>
    <message>
        <source>&amp;Throw away</source>
        <translation>&amp;Wegwerfen</translation>
    </message>
    <message>
        <source>Remove the new model. The one in use stays.</source>
        <translation>Das neue Modell entfernen. Das bisherige bleibt.</translation>
    </message>
    <message>
        <source>&amp;Report...</source>
        <translation>Be&amp;richt...</translation>
    </message>
    <message>
        <source>How good the new model is, in the browser</source>
        <translation>Wie gut das neue Modell ist, im Browser</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Einzelheiten</translation>
    </message>
    <message>
        <source>{name}: you say {label}. Before: {before}. Now: {after}.</source>
        <translation>{name}: Sie sagen {label}. Vorher: {before}. Jetzt: {after}.</translation>
    </message>
    <message>
        <source>Learned from {learned} photos, {corrections} of them checked by you, in {seconds:.0f} s. The photos below were kept aside.</source>
        <translation>Aus {learned} Fotos gelernt, {corrections} davon von Ihnen geprüft, in {seconds:.0f} s. Die Fotos unten wurden zurückgehalten.</translation>
    </message>
</context>
<context>
    <name>PhotoGrid</name>
    <message>
        <source>Photos</source>
        <translation>Fotos</translation>
    </message>
    <message>
        <source>Photos: {count}</source>
        <translation>Fotos: {count}</translation>
    </message>
</context>
<context>
    <name>PhotoMenu</name>
    <message>
        <source>&amp;Unsure</source>
        <translation>&amp;Unsicher</translation>
    </message>
    <message>
        <source>Set &amp;aside</source>
        <translation>&amp;Beiseitelegen</translation>
    </message>
    <message>
        <source>&amp;Show in file manager</source>
        <translation>Im &amp;Dateimanager zeigen</translation>
    </message>
    <message>
        <source>&amp;Open in another program</source>
        <translation>In anderem Programm ö&amp;ffnen</translation>
    </message>
</context>
<context>
    <name>PhotoModel</name>
    <message>
        <source>{name}: {why}</source>
        <translation>{name}: {why}</translation>
    </message>
    <message>
        <source>{name}, changed to {label}</source>
        <translation>{name}, geändert in {label}</translation>
    </message>
    <message>
        <source>{name}, {label}, confirmed</source>
        <translation>{name}, {label}, bestätigt</translation>
    </message>
    <message>
        <source>{name}, {label}</source>
        <translation>{name}, {label}</translation>
    </message>
    <message>
        <source>{name}, {label}, {certainty} sure</source>
        <translation>{name}, {label}, {certainty} sicher</translation>
    </message>
</context>
<context>
    <name>PhotoPainter</name>
    <message>
        <source>cannot be shown</source>
        <translation>kann nicht gezeigt werden</translation>
    </message>
    <message>
        <source>couldn&apos;t be read</source>
        <translation>nicht lesbar</translation>
    </message>
</context>
<context>
    <name>Preferences</name>
    <message>
        <source>Preferences</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Farben</translation>
    </message>
    <message>
        <source>Letters mark photos, too</source>
        <translation>Auch Buchstaben markieren Fotos</translation>
    </message>
    <message>
        <source>The first letter of a class that is still free, beside 1 to 9</source>
        <translation>Der erste noch freie Buchstabe einer Klasse, neben 1 bis 9</translation>
    </message>
    <message>
        <source>Size of thumbnails</source>
        <translation>Größe der Miniaturen</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>Thumbnails</source>
        <translation>Miniaturen</translation>
    </message>
</context>
<context>
    <name>Preview</name>
    <message>
        <source>Photo</source>
        <translation>Foto</translation>
    </message>
</context>
<context>
    <name>ProgressPanel</name>
    <message>
        <source>What is being done</source>
        <translation>Was gerade geschieht</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>How far it is</source>
        <translation>Wie weit es ist</translation>
    </message>
    <message>
        <source>&amp;Pause</source>
        <translation>&amp;Pause</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>Finish the photos in hand, then wait</source>
        <translation>Die angefangenen Fotos fertig machen, dann warten</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Stop. What is done stays done, and you can continue later.</source>
        <translation>Anhalten. Was getan ist, bleibt getan, und Sie können später fortfahren.</translation>
    </message>
    <message>
        <source>Starting...</source>
        <translation>Beginnt...</translation>
    </message>
    <message>
        <source>{done} of {total} {steps}</source>
        <translation>{done} von {total} {steps}</translation>
    </message>
    <message>
        <source>{done} {steps}</source>
        <translation>{done} {steps}</translation>
    </message>
    <message>
        <source>{speed} {steps}/s</source>
        <translation>{speed} {steps}/s</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>noch {time}</translation>
    </message>
    <message>
        <source>&amp;Continue</source>
        <translation>&amp;Fortfahren</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Pausiert</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>Fortfahren</translation>
    </message>
    <message>
        <source>Stopping...</source>
        <translation>Wird angehalten...</translation>
    </message>
</context>
<context>
    <name>PutBack</name>
    <message>
        <source>No photo lies in this folder, so there is nothing to put back.</source>
        <translation>In diesem Ordner liegt kein Foto, es gibt also nichts zurückzulegen.</translation>
    </message>
    <message>
        <source>Put everything back</source>
        <translation>Alles zurücklegen</translation>
    </message>
    <message>
        <source>&amp;Put back</source>
        <translation>&amp;Zurücklegen</translation>
    </message>
    <message>
        <source>Move {count} photos back to {places}?</source>
        <translation>{count} Fotos zurück nach {places} verschieben?</translation>
    </message>
    <message>
        <source>Remove {count} copies from {out}?</source>
        <translation>{count} Kopien aus {out} entfernen?</translation>
    </message>
    <message>
        <source>Remove {count} links from {out}?</source>
        <translation>{count} Verknüpfungen aus {out} entfernen?</translation>
    </message>
    <message>
        <source>where they came from</source>
        <translation>ihrem alten Ort</translation>
    </message>
    <message>
        <source>Each photo goes back to its own folder. Nothing is overwritten. Your marks are kept.</source>
        <translation>Jedes Foto kommt in seinen eigenen Ordner zurück. Nichts wird überschrieben. Ihre Markierungen bleiben.</translation>
    </message>
    <message>
        <source>The originals stay where they are. Copies that you edited stay, too. Your marks are kept.</source>
        <translation>Die Originale bleiben, wo sie sind. Auch Kopien, die Sie bearbeitet haben, bleiben. Ihre Markierungen bleiben.</translation>
    </message>
    <message>
        <source>Putting everything back</source>
        <translation>Alles wird zurückgelegt</translation>
    </message>
    <message>
        <source>Stopped. What is back stays back. “Put everything back” does the rest.</source>
        <translation>Angehalten. Was zurück ist, bleibt zurück. „Alles zurücklegen“ macht den Rest.</translation>
    </message>
    <message>
        <source>{count} photos are back where they were. Your marks are kept.</source>
        <translation>{count} Fotos sind wieder, wo sie waren. Ihre Markierungen bleiben.</translation>
    </message>
    <message>
        <source>{count} copies or links are removed. Your photos are where they were.</source>
        <translation>{count} Kopien oder Verknüpfungen sind entfernt. Ihre Fotos sind, wo sie waren.</translation>
    </message>
    <message>
        <source>{count} could not be put back.</source>
        <translation>{count} konnten nicht zurückgelegt werden.</translation>
    </message>
</context>
<context>
    <name>RecentFolders</name>
    <message>
        <source>&amp;Recent</source>
        <translation>&amp;Zuletzt</translation>
    </message>
    <message>
        <source>Recent output folders</source>
        <translation>Zuletzt verwendete Ausgabeordner</translation>
    </message>
    <message>
        <source>&amp;Open</source>
        <translation>Ö&amp;ffnen</translation>
    </message>
    <message>
        <source>Open the chosen folder</source>
        <translation>Den gewählten Ordner öffnen</translation>
    </message>
    <message>
        <source>&amp;Continue</source>
        <translation>&amp;Fortfahren</translation>
    </message>
    <message>
        <source>Continue the run that was stopped</source>
        <translation>Das angehaltene Sortieren fortsetzen</translation>
    </message>
    <message>
        <source>Sort the rest, with the same model and action</source>
        <translation>Den Rest sortieren, mit demselben Modell und auf dieselbe Art</translation>
    </message>
    <message>
        <source>&amp;Put everything back...</source>
        <translation>Alles &amp;zurücklegen...</translation>
    </message>
    <message>
        <source>Put everything back</source>
        <translation>Alles zurücklegen</translation>
    </message>
    <message>
        <source>Undo the whole sorting of this folder</source>
        <translation>Das ganze Sortieren dieses Ordners rückgängig machen</translation>
    </message>
    <message>
        <source>Open other results...</source>
        <translation>Andere Ergebnisse öffnen...</translation>
    </message>
    <message>
        <source>Open another output folder</source>
        <translation>Einen anderen Ausgabeordner öffnen</translation>
    </message>
    <message>
        <source>Nothing yet. Folders that you sort into are listed here.</source>
        <translation>Noch nichts. Ordner, in die Sie sortieren, stehen hier.</translation>
    </message>
    <message>
        <source>Drive not connected</source>
        <translation>Laufwerk nicht verbunden</translation>
    </message>
    <message>
        <source>{n} couldn&apos;t be read</source>
        <translation>{n} nicht lesbar</translation>
    </message>
    <message>
        <source>Paused at {n} photos</source>
        <translation>Angehalten bei {n} Fotos</translation>
    </message>
    <message>
        <source>Sorted</source>
        <translation>Sortiert</translation>
    </message>
    <message>
        <source>Undone</source>
        <translation>Rückgängig gemacht</translation>
    </message>
    <message>
        <source>the photos&apos; drive is not connected</source>
        <translation>das Laufwerk der Fotos ist nicht verbunden</translation>
    </message>
    <message>
        <source>&amp;Show in file manager</source>
        <translation>Im &amp;Dateimanager zeigen</translation>
    </message>
    <message>
        <source>&amp;Remove from this list</source>
        <translation>Aus dieser Liste &amp;entfernen</translation>
    </message>
</context>
<context>
    <name>RetrainForm</name>
    <message>
        <source>&amp;Improve model</source>
        <translation>Modell &amp;verbessern</translation>
    </message>
    <message>
        <source>Improve model</source>
        <translation>Modell verbessern</translation>
    </message>
    <message>
        <source>&amp;Check my marks</source>
        <translation>Meine Markierungen &amp;prüfen</translation>
    </message>
    <message>
        <source>Check my marks</source>
        <translation>Meine Markierungen prüfen</translation>
    </message>
    <message>
        <source>Find photos whose mark contradicts what the other photos teach</source>
        <translation>Fotos finden, deren Markierung dem widerspricht, was die anderen Fotos lehren</translation>
    </message>
    <message>
        <source>More choices</source>
        <translation>Mehr Möglichkeiten</translation>
    </message>
    <message>
        <source>Also learn from photos here that the model is &amp;sure of</source>
        <translation>Auch aus Fotos hier lernen, bei denen das Modell &amp;sicher ist</translation>
    </message>
    <message>
        <source>Also learn from photos that the model is sure of</source>
        <translation>Auch aus Fotos lernen, bei denen das Modell sicher ist</translation>
    </message>
    <message>
        <source>Also learn from folders of &amp;examples:</source>
        <translation>Auch aus &amp;Beispielordnern lernen:</translation>
    </message>
    <message>
        <source>Also learn from folders of examples</source>
        <translation>Auch aus Beispielordnern lernen</translation>
    </message>
    <message>
        <source>Folder of examples</source>
        <translation>Ordner mit Beispielen</translation>
    </message>
    <message>
        <source>A folder with a folder of photos for each class</source>
        <translation>Ein Ordner mit einem Fotoordner für jede Klasse</translation>
    </message>
    <message>
        <source>Choose...</source>
        <translation>Wählen...</translation>
    </message>
    <message>
        <source>Choose a folder of examples</source>
        <translation>Einen Ordner mit Beispielen wählen</translation>
    </message>
    <message>
        <source>Name of the new model</source>
        <translation>Name des neuen Modells</translation>
    </message>
    <message>
        <source>&amp;Name of the new model</source>
        <translation>&amp;Name des neuen Modells</translation>
    </message>
    <message>
        <source>Train a new model. The one in use stays as it is.</source>
        <translation>Ein neues Modell lernen lassen. Das bisherige bleibt, wie es ist.</translation>
    </message>
    <message>
        <source>Check some photos first</source>
        <translation>Prüfen Sie zuerst einige Fotos</translation>
    </message>
</context>
<context>
    <name>RetrainPage</name>
    <message>
        <source>photos</source>
        <translation>Fotos</translation>
    </message>
    <message>
        <source>How many marks it learns from</source>
        <translation>Aus wie vielen Markierungen es lernt</translation>
    </message>
    <message>
        <source>Photos to learn from</source>
        <translation>Fotos, aus denen es lernt</translation>
    </message>
    <message>
        <source>Learns from {n} marks</source>
        <translation>Lernt aus {n} Markierungen</translation>
    </message>
    <message>
        <source>Learns from 1 mark</source>
        <translation>Lernt aus 1 Markierung</translation>
    </message>
    <message>
        <source>Learns from the photo you checked in {folder}.</source>
        <translation>Lernt aus dem Foto, das Sie in {folder} geprüft haben.</translation>
    </message>
    <message>
        <source>Learns from the {checked} photos you checked in {folder}.</source>
        <translation>Lernt aus den {checked} Fotos, die Sie in {folder} geprüft haben.</translation>
    </message>
    <message>
        <source>No photo is checked yet in {folder}. Check some photos, then come back.</source>
        <translation>In {folder} ist noch kein Foto geprüft. Prüfen Sie einige, und kommen Sie dann wieder.</translation>
    </message>
    <message>
        <source>Cars</source>
        <translation>Autos</translation>
    </message>
    <message>
        <source>Improving a model needs parts of Sorter that are not installed.</source>
        <translation>Um ein Modell zu verbessern, braucht es Teile von Sorter, die nicht installiert sind.</translation>
    </message>
    <message>
        <source>Ask whoever installed Sorter to add “learn”.</source>
        <translation>Bitten Sie, wer Sorter installiert hat, „learn“ hinzuzufügen.</translation>
    </message>
    <message>
        <source>Sort a folder and correct some of its photos. Then a model can learn from them here.</source>
        <translation>Sortieren Sie einen Ordner, und korrigieren Sie einige seiner Fotos. Dann kann ein Modell hier daraus lernen.</translation>
    </message>
    <message>
        <source>Choose the folder of examples first.</source>
        <translation>Wählen Sie zuerst den Ordner mit Beispielen.</translation>
    </message>
    <message>
        <source>Improving the model</source>
        <translation>Das Modell wird verbessert</translation>
    </message>
    <message>
        <source>Stopped. Nothing was kept of the new model.</source>
        <translation>Angehalten. Vom neuen Modell ist nichts geblieben.</translation>
    </message>
    <message>
        <source>Kept as “{name}”. It is the model for new folders now.</source>
        <translation>Behalten als „{name}“. Es ist jetzt das Modell für neue Ordner.</translation>
    </message>
    <message>
        <source>The new model is removed. Nothing else has changed.</source>
        <translation>Das neue Modell ist entfernt. Sonst hat sich nichts geändert.</translation>
    </message>
    <message>
        <source>Checking your marks</source>
        <translation>Ihre Markierungen werden geprüft</translation>
    </message>
    <message>
        <source>Stopped. Your marks are as they were.</source>
        <translation>Angehalten. Ihre Markierungen sind, wie sie waren.</translation>
    </message>
    <message>
        <source>There are too few marks to check. Check four photos of each class first.</source>
        <translation>Es gibt zu wenige Markierungen. Prüfen Sie zuerst vier Fotos jeder Klasse.</translation>
    </message>
    <message>
        <source>None of your {n} marks looks wrong.</source>
        <translation>Keine Ihrer {n} Markierungen sieht falsch aus.</translation>
    </message>
    <message>
        <source>1 of your {n} marks looks wrong.</source>
        <translation>1 Ihrer {n} Markierungen sieht falsch aus.</translation>
    </message>
    <message>
        <source>{wrong} of your {n} marks look wrong.</source>
        <translation>{wrong} Ihrer {n} Markierungen sehen falsch aus.</translation>
    </message>
    <message>
        <source>&amp;Check again</source>
        <translation>&amp;Noch einmal prüfen</translation>
    </message>
</context>
<context>
    <name>ReviewHeader</name>
    <message>
        <source>What is shown</source>
        <translation>Was gezeigt wird</translation>
    </message>
    <message>
        <source>{what} · {count} photos</source>
        <translation>{what} · {count} Fotos</translation>
    </message>
</context>
<context>
    <name>ReviewPage</name>
    <message>
        <source>photos</source>
        <translation>Fotos</translation>
    </message>
    <message>
        <source>Nothing to review yet. Open a folder with sorted photos.</source>
        <translation>Noch nichts durchzusehen. Öffnen Sie einen Ordner mit sortierten Fotos.</translation>
    </message>
    <message>
        <source>Opening {folder}...</source>
        <translation>{folder} wird geöffnet...</translation>
    </message>
    <message>
        <source>This folder was changed elsewhere. It is shown as it is now.</source>
        <translation>Dieser Ordner wurde anderswo geändert. Er wird gezeigt, wie er jetzt ist.</translation>
    </message>
    <message>
        <source>No photos match.</source>
        <translation>Kein Foto passt.</translation>
    </message>
    <message>
        <source>This folder&apos;s run has sorted no photos yet.</source>
        <translation>In diesen Ordner ist noch kein Foto sortiert.</translation>
    </message>
    <message>
        <source>No photo is in this class now.</source>
        <translation>In dieser Klasse ist jetzt kein Foto.</translation>
    </message>
</context>
<context>
    <name>SectionHeader</name>
    <message>
        <source>{title} – 1 photo</source>
        <translation>{title} – 1 Foto</translation>
    </message>
    <message>
        <source>{title} – {n} photos</source>
        <translation>{title} – {n} Fotos</translation>
    </message>
    <message>
        <source>Show these photos</source>
        <translation>Diese Fotos zeigen</translation>
    </message>
    <message>
        <source>Hide these photos</source>
        <translation>Diese Fotos ausblenden</translation>
    </message>
    <message>
        <source>Confirm this one</source>
        <translation>Dieses bestätigen</translation>
    </message>
    <message>
        <source>Confirm these {n}</source>
        <translation>Diese {n} bestätigen</translation>
    </message>
    <message>
        <source>The model is right about these photos. Undo takes it back.</source>
        <translation>Das Modell hat bei diesen Fotos recht. Rückgängig nimmt es zurück.</translation>
    </message>
</context>
<context>
    <name>ShortcutsSheet</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>1 … 9, a class&apos;s letter</source>
        <translation>1 … 9, der Buchstabe einer Klasse</translation>
    </message>
    <message>
        <source>Mark as that class</source>
        <translation>Als diese Klasse markieren</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>Ansehen</translation>
    </message>
    <message>
        <source>Arrows, Page Up, Page Down, Home, End</source>
        <translation>Pfeile, Bild auf, Bild ab, Pos1, Ende</translation>
    </message>
    <message>
        <source>Go to another photo</source>
        <translation>Zu einem anderen Foto gehen</translation>
    </message>
    <message>
        <source>Preview, and back to the grid</source>
        <translation>Vorschau, und zurück zum Raster</translation>
    </message>
    <message>
        <source>Space, E, double click</source>
        <translation>Leertaste, E, Doppelklick</translation>
    </message>
    <message>
        <source>Open a stack of photos, and close it</source>
        <translation>Einen Stapel Fotos öffnen und schließen</translation>
    </message>
    <message>
        <source>Compare two to four photos</source>
        <translation>Zwei bis vier Fotos vergleichen</translation>
    </message>
    <message>
        <source>Wheel, +, -</source>
        <translation>Rad, +, -</translation>
    </message>
    <message>
        <source>Zoom in the preview</source>
        <translation>In der Vorschau vergrößern</translation>
    </message>
    <message>
        <source>Larger and smaller</source>
        <translation>Größer und kleiner</translation>
    </message>
    <message>
        <source>Fit the preview to the window</source>
        <translation>Die Vorschau an das Fenster anpassen</translation>
    </message>
    <message>
        <source>Find by name</source>
        <translation>Nach Namen suchen</translation>
    </message>
    <message>
        <source>Select</source>
        <translation>Auswählen</translation>
    </message>
    <message>
        <source>Shift, Ctrl with arrows or click</source>
        <translation>Umschalt, Strg mit Pfeilen oder Klick</translation>
    </message>
    <message>
        <source>Select many</source>
        <translation>Mehrere auswählen</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>Alles auswählen</translation>
    </message>
    <message>
        <source>Copy file paths</source>
        <translation>Dateipfade kopieren</translation>
    </message>
    <message>
        <source>Mark</source>
        <translation>Markieren</translation>
    </message>
    <message>
        <source>Sort photos, review, improve, find duplicates</source>
        <translation>Fotos sortieren, durchsehen, verbessern, Doppelte finden</translation>
    </message>
    <message>
        <source>Grid, one photo, side by side</source>
        <translation>Raster, ein Foto, nebeneinander</translation>
    </message>
    <message>
        <source>Show or hide the inspector</source>
        <translation>Den Inspektor zeigen oder verbergen</translation>
    </message>
    <message>
        <source>Preferences</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>The menu</source>
        <translation>Das Menü</translation>
    </message>
    <message>
        <source>Actual size, and back</source>
        <translation>Wahre Größe, und zurück</translation>
    </message>
    <message>
        <source>Nothing but the photo, and back</source>
        <translation>Nur das Foto, und zurück</translation>
    </message>
    <message>
        <source>Heat map, and back</source>
        <translation>Wärmebild, und zurück</translation>
    </message>
    <message>
        <source>Drag onto a class</source>
        <translation>Auf eine Klasse ziehen</translation>
    </message>
    <message>
        <source>Confirm this photo, or those selected</source>
        <translation>Dieses Foto bestätigen, oder die ausgewählten</translation>
    </message>
    <message>
        <source>Enter, Ctrl+R</source>
        <translation>Eingabe, Strg+R</translation>
    </message>
    <message>
        <source>Mark as unsure</source>
        <translation>Als unsicher markieren</translation>
    </message>
    <message>
        <source>Set aside</source>
        <translation>Beiseitegelegt</translation>
    </message>
    <message>
        <source>Delete, Backspace</source>
        <translation>Entf, Rücktaste</translation>
    </message>
    <message>
        <source>Clear my mark</source>
        <translation>Meine Markierung löschen</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>Then</source>
        <translation>Danach</translation>
    </message>
    <message>
        <source>Move photos to the folders of their classes</source>
        <translation>Fotos in die Ordner ihrer Klassen verschieben</translation>
    </message>
    <message>
        <source>Copy the sorted photos elsewhere</source>
        <translation>Die sortierten Fotos anderswohin kopieren</translation>
    </message>
    <message>
        <source>Improve the model</source>
        <translation>Das Modell verbessern</translation>
    </message>
    <message>
        <source>Left, Right in the histogram</source>
        <translation>Links, Rechts in der Verteilung</translation>
    </message>
    <message>
        <source>Move the threshold</source>
        <translation>Die Schwelle verschieben</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>Open a folder that was sorted</source>
        <translation>Einen sortierten Ordner öffnen</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>Vollbild</translation>
    </message>
    <message>
        <source>This sheet</source>
        <translation>Diese Übersicht</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
</context>
<context>
    <name>SidePanel</name>
    <message>
        <source>How strict</source>
        <translation>Wie streng</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>Schwelle</translation>
    </message>
    <message>
        <source>R&amp;eset</source>
        <translation>&amp;Zurücksetzen</translation>
    </message>
    <message>
        <source>Back to the threshold that the folders were made with</source>
        <translation>Zurück zur Schwelle, mit der die Ordner gemacht wurden</translation>
    </message>
    <message>
        <source>Reset the threshold</source>
        <translation>Die Schwelle zurücksetzen</translation>
    </message>
    <message>
        <source>Mark as</source>
        <translation>Markieren als</translation>
    </message>
    <message>
        <source>Clear my mark</source>
        <translation>Meine Markierung löschen</translation>
    </message>
    <message>
        <source>The photos have the model&apos;s class again (Delete)</source>
        <translation>Die Fotos haben wieder die Klasse des Modells (Entf)</translation>
    </message>
    <message>
        <source>Photo</source>
        <translation>Foto</translation>
    </message>
    <message>
        <source>Guess</source>
        <translation>Vermutung</translation>
    </message>
    <message>
        <source>What it saw</source>
        <translation>Was es sah</translation>
    </message>
    <message>
        <source>Show which places of the photo speak for the guess (H)</source>
        <translation>Zeigen, welche Stellen des Fotos für die Vermutung sprechen (H)</translation>
    </message>
    <message>
        <source>Photos that it changes</source>
        <translation>Fotos, die sich dadurch ändern</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>Im Ordner zeigen</translation>
    </message>
    <message>
        <source>Copy path</source>
        <translation>Pfad kopieren</translation>
    </message>
    <message>
        <source>Open in another app</source>
        <translation>In anderem Programm öffnen</translation>
    </message>
    <message>
        <source>Photos to the right of the line are “{positive}”, those to the left “{other}”.</source>
        <translation>Fotos rechts der Linie sind „{positive}“, die links davon „{other}“.</translation>
    </message>
    <message>
        <source>Photos the model is less sure of than this go to “unsure”.</source>
        <translation>Fotos, bei denen das Modell weniger sicher ist, kommen zu „unsure“ (unsicher).</translation>
    </message>
    <message>
        <source>Mark as {label}</source>
        <translation>Als {label} markieren</translation>
    </message>
    <message>
        <source>&amp;Confirm {number} selected</source>
        <translation>{number} ausgewählte &amp;bestätigen</translation>
    </message>
    <message>
        <source>&amp;Confirm</source>
        <translation>&amp;Bestätigen</translation>
    </message>
    <message>
        <source>The model is right about the selected photos (Ctrl+R)</source>
        <translation>Das Modell hat bei den ausgewählten Fotos recht (Strg+R)</translation>
    </message>
    <message>
        <source>no change</source>
        <translation>keine Änderung</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>To check</source>
        <translation>Zu prüfen</translation>
    </message>
    <message>
        <source>All photos</source>
        <translation>Alle Fotos</translation>
    </message>
    <message>
        <source>Check again</source>
        <translation>Noch einmal prüfen</translation>
    </message>
    <message>
        <source>Classes</source>
        <translation>Klassen</translation>
    </message>
    <message>
        <source>New class</source>
        <translation>Neue Klasse</translation>
    </message>
    <message>
        <source>Unsure</source>
        <translation>Unsicher</translation>
    </message>
    <message>
        <source>Clean up</source>
        <translation>Aufräumen</translation>
    </message>
    <message>
        <source>Duplicates</source>
        <translation>Doppelte</translation>
    </message>
    <message>
        <source>Similar</source>
        <translation>Ähnliche</translation>
    </message>
    <message>
        <source>Couldn&apos;t be read</source>
        <translation>Nicht lesbar</translation>
    </message>
    <message>
        <source>Not photos</source>
        <translation>Keine Fotos</translation>
    </message>
    <message>
        <source>Set aside</source>
        <translation>Beiseitegelegt</translation>
    </message>
    <message>
        <source>&amp;Rename</source>
        <translation>&amp;Umbenennen</translation>
    </message>
    <message>
        <source>&amp;Merge into</source>
        <translation>&amp;Zusammenlegen mit</translation>
    </message>
    <message>
        <source>Re&amp;move class</source>
        <translation>Klasse &amp;entfernen</translation>
    </message>
    <message>
        <source>&amp;Show in file manager</source>
        <translation>Im &amp;Dateimanager zeigen</translation>
    </message>
</context>
<context>
    <name>SingleView</name>
    <message>
        <source>About this photo</source>
        <translation>Über dieses Foto</translation>
    </message>
    <message>
        <source>{certainty} sure</source>
        <translation>{certainty} sicher</translation>
    </message>
    <message>
        <source>changed by you</source>
        <translation>von Ihnen geändert</translation>
    </message>
    <message>
        <source>confirmed</source>
        <translation>bestätigt</translation>
    </message>
    <message>
        <source>{n} of {all}</source>
        <translation>{n} von {all}</translation>
    </message>
</context>
<context>
    <name>SortForm</name>
    <message>
        <source>Folder of photos</source>
        <translation>Ordner mit Fotos</translation>
    </message>
    <message>
        <source>What is in the folder</source>
        <translation>Was in dem Ordner ist</translation>
    </message>
    <message>
        <source>Some of the photos</source>
        <translation>Einige der Fotos</translation>
    </message>
    <message>
        <source>Where your photos are</source>
        <translation>Wo Ihre Fotos sind</translation>
    </message>
    <message>
        <source>Output folder</source>
        <translation>Ausgabeordner</translation>
    </message>
    <message>
        <source>A folder will be made here for each class</source>
        <translation>Hier entsteht ein Ordner für jede Klasse</translation>
    </message>
    <message>
        <source>What happens to your photos</source>
        <translation>Was mit Ihren Fotos geschieht</translation>
    </message>
    <message>
        <source>Copied (originals stay where they are)</source>
        <translation>Kopiert (die Originale bleiben, wo sie sind)</translation>
    </message>
    <message>
        <source>Moved (you can put them back)</source>
        <translation>Verschoben (Sie können sie zurücklegen)</translation>
    </message>
    <message>
        <source>Linked, no extra space (same disk only)</source>
        <translation>Verknüpft, ohne zusätzlichen Platz (nur auf derselben Festplatte)</translation>
    </message>
    <message>
        <source>Linked by a shortcut to each photo</source>
        <translation>Verknüpft durch einen Verweis auf jedes Foto</translation>
    </message>
    <message>
        <source>Not touched, preview only</source>
        <translation>Nicht angerührt, nur Vorschau</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Kopiert</translation>
    </message>
    <message>
        <source>Originals stay where they are</source>
        <translation>Die Originale bleiben, wo sie sind</translation>
    </message>
    <message>
        <source>Moved</source>
        <translation>Verschoben</translation>
    </message>
    <message>
        <source>You can put them back</source>
        <translation>Sie können sie zurücklegen</translation>
    </message>
    <message>
        <source>Which classes?</source>
        <translation>Welche Klassen?</translation>
    </message>
    <message>
        <source>Your photos will be</source>
        <translation>Ihre Fotos werden</translation>
    </message>
    <message>
        <source>Save &amp;to</source>
        <translation>Speichern &amp;in</translation>
    </message>
    <message>
        <source>Choose...</source>
        <translation>Wählen...</translation>
    </message>
    <message>
        <source>Choose: {what}</source>
        <translation>Wählen: {what}</translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation>Erweitert</translation>
    </message>
    <message>
        <source>Use another &amp;model...</source>
        <translation>Ein anderes &amp;Modell verwenden...</translation>
    </message>
    <message>
        <source>Choose a model folder</source>
        <translation>Einen Modellordner wählen</translation>
    </message>
    <message>
        <source>P&amp;hotos</source>
        <translation>F&amp;otos</translation>
    </message>
    <message>
        <source>&amp;Your photos will be</source>
        <translation>&amp;Ihre Fotos werden</translation>
    </message>
    <message>
        <source>Looking...</source>
        <translation>Wird angesehen...</translation>
    </message>
    <message>
        <source>{n} photos</source>
        <translation>{n} Fotos</translation>
    </message>
    <message>
        <source>1 photo</source>
        <translation>1 Foto</translation>
    </message>
    <message>
        <source>{n} files are not photos</source>
        <translation>{n} Dateien sind keine Fotos</translation>
    </message>
    <message>
        <source>1 file is not a photo</source>
        <translation>1 Datei ist kein Foto</translation>
    </message>
    <message>
        <source>fits ({free} free)</source>
        <translation>passt ({free} frei)</translation>
    </message>
    <message>
        <source>too large to copy ({free} free)</source>
        <translation>zu groß zum Kopieren ({free} frei)</translation>
    </message>
    <message>
        <source>takes about {time}</source>
        <translation>dauert etwa {time}</translation>
    </message>
    <message>
        <source>A folder of photos</source>
        <translation>Ein Ordner mit Fotos</translation>
    </message>
    <message>
        <source>Where to make a folder for each class</source>
        <translation>Wo ein Ordner für jede Klasse entstehen soll</translation>
    </message>
    <message>
        <source>A model folder</source>
        <translation>Ein Modellordner</translation>
    </message>
</context>
<context>
    <name>SortSheet</name>
    <message>
        <source>&amp;Back</source>
        <translation>&amp;Zurück</translation>
    </message>
    <message>
        <source>&amp;Sort</source>
        <translation>&amp;Sortieren</translation>
    </message>
    <message>
        <source>Sort the photos into a folder for each class</source>
        <translation>Die Fotos in einen Ordner für jede Klasse sortieren</translation>
    </message>
    <message>
        <source>&amp;Sort {n} photos</source>
        <translation>{n} Fotos &amp;sortieren</translation>
    </message>
    <message>
        <source>&amp;Sort 1 photo</source>
        <translation>1 Foto &amp;sortieren</translation>
    </message>
</context>
<context>
    <name>StartPage</name>
    <message>
        <source>photos</source>
        <translation>Fotos</translation>
    </message>
    <message>
        <source>Forest</source>
        <translation>Wald</translation>
    </message>
    <message>
        <source>Sea</source>
        <translation>Meer</translation>
    </message>
    <message>
        <source>Sunset</source>
        <translation>Sonnenuntergang</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>Beispiele</translation>
    </message>
    <message>
        <source>A folder of photos</source>
        <translation>Ein Ordner mit Fotos</translation>
    </message>
    <message>
        <source>A folder with sorted photos</source>
        <translation>Ein Ordner mit sortierten Fotos</translation>
    </message>
    <message>
        <source>Choose a folder of photos first, or drop one here.</source>
        <translation>Wählen Sie zuerst einen Ordner mit Fotos, oder ziehen Sie einen hierher.</translation>
    </message>
    <message>
        <source>Choose a folder for the sorted photos, too.</source>
        <translation>Wählen Sie auch einen Ordner für die sortierten Fotos.</translation>
    </message>
    <message>
        <source>One folder at a time. Wait for the other, or cancel it.</source>
        <translation>Ein Ordner nach dem anderen. Warten Sie auf den anderen, oder brechen Sie ihn ab.</translation>
    </message>
    <message>
        <source>Sorting {folder}</source>
        <translation>{folder} wird sortiert</translation>
    </message>
    <message>
        <source>Stopped. What is sorted stays sorted. “Continue” sorts the rest.</source>
        <translation>Angehalten. Was sortiert ist, bleibt sortiert. „Fortfahren“ sortiert den Rest.</translation>
    </message>
    <message>
        <source>{n} photos sorted.</source>
        <translation>{n} Fotos sortiert.</translation>
    </message>
    <message>
        <source>1 photo sorted.</source>
        <translation>1 Foto sortiert.</translation>
    </message>
    <message>
        <source>{n} couldn&apos;t be read. “Couldn&apos;t be read” at the side shows why.</source>
        <translation>{n} nicht lesbar. „Nicht lesbar“ an der Seite zeigt, warum.</translation>
    </message>
</context>
<context>
    <name>StatusBar</name>
    <message>
        <source>Photos checked</source>
        <translation>Geprüfte Fotos</translation>
    </message>
    <message>
        <source>Share of the photos that are checked</source>
        <translation>Anteil der geprüften Fotos</translation>
    </message>
    <message>
        <source>photos</source>
        <translation>Fotos</translation>
    </message>
    <message>
        <source>{checked} checked, {changed} changed, {left} to go</source>
        <translation>{checked} geprüft, {changed} geändert, {left} übrig</translation>
    </message>
</context>
<context>
    <name>TeachPage</name>
    <message>
        <source>photos</source>
        <translation>Fotos</translation>
    </message>
    <message>
        <source>Name of the model</source>
        <translation>Name des Modells</translation>
    </message>
    <message>
        <source>What is still needed</source>
        <translation>Was noch fehlt</translation>
    </message>
    <message>
        <source>&amp;Add a class</source>
        <translation>Klasse &amp;hinzufügen</translation>
    </message>
    <message>
        <source>&amp;Back</source>
        <translation>&amp;Zurück</translation>
    </message>
    <message>
        <source>&amp;Learn</source>
        <translation>&amp;Lernen</translation>
    </message>
    <message>
        <source>&amp;Sort photos with it...</source>
        <translation>Fotos damit &amp;sortieren...</translation>
    </message>
    <message>
        <source>Name two classes or more, and drop ten photos or a folder on each. Then press Learn.</source>
        <translation>Benennen Sie zwei Klassen oder mehr, und ziehen Sie auf jede zehn Fotos oder einen Ordner. Drücken Sie dann „Lernen“.</translation>
    </message>
    <message>
        <source>&amp;Name of the model</source>
        <translation>&amp;Name des Modells</translation>
    </message>
    <message>
        <source>Learning needs parts of Sorter that are not installed.</source>
        <translation>Zum Lernen braucht es Teile von Sorter, die nicht installiert sind.</translation>
    </message>
    <message>
        <source>Ask whoever installed Sorter to add “learn”.</source>
        <translation>Bitten Sie, wer Sorter installiert hat, „learn“ hinzuzufügen.</translation>
    </message>
    <message>
        <source>Give each class a name.</source>
        <translation>Geben Sie jeder Klasse einen Namen.</translation>
    </message>
    <message>
        <source>Two classes have the same name, or a name that no folder can have.</source>
        <translation>Zwei Klassen haben denselben Namen, oder einen, den kein Ordner haben kann.</translation>
    </message>
    <message>
        <source>“{name}” needs more photos.</source>
        <translation>„{name}“ braucht mehr Fotos.</translation>
    </message>
    <message>
        <source>Learning</source>
        <translation>Lernen</translation>
    </message>
    <message>
        <source>Stopped. Nothing was learned.</source>
        <translation>Angehalten. Nichts wurde gelernt.</translation>
    </message>
    <message>
        <source>“{name}” has learned {classes} classes from {photos} photos. Tested on photos it had not seen, it is right on {right} of {tested}.</source>
        <translation>„{name}“ hat {classes} Klassen aus {photos} Fotos gelernt. Bei Fotos, die es nicht kannte, hat es in {right} von {tested} Fällen recht.</translation>
    </message>
    <message>
        <source>{n} couldn&apos;t be read.</source>
        <translation>{n} nicht lesbar.</translation>
    </message>
</context>
<context>
    <name>Toast</name>
    <message>
        <source>Close the message</source>
        <translation>Die Meldung schließen</translation>
    </message>
</context>
<context>
    <name>TopBar</name>
    <message>
        <source>Menu</source>
        <translation>Menü</translation>
    </message>
    <message>
        <source>Everything else (F10)</source>
        <translation>Alles andere (F10)</translation>
    </message>
    <message>
        <source>No folder</source>
        <translation>Kein Ordner</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
</context>
<context>
    <name>Window</name>
    <message>
        <source>Sorter</source>
        <translation>Sorter</translation>
    </message>
    <message>
        <source>Mark as {label}</source>
        <translation>Als {label} markieren</translation>
    </message>
    <message>
        <source>A folder with sorted photos</source>
        <translation>Ein Ordner mit sortierten Fotos</translation>
    </message>
    <message>
        <source>Sorter {version}: sorts photos by what is in them. Nothing leaves this computer.</source>
        <translation>Sorter {version}: sortiert Fotos nach dem, was darauf ist. Nichts verlässt diesen Rechner.</translation>
    </message>
    <message>
        <source>{folder} is sorted.</source>
        <translation>{folder} ist sortiert.</translation>
    </message>
    <message>
        <source>&amp;Review it</source>
        <translation>&amp;Durchsehen</translation>
    </message>
    <message>
        <source>Use the new model for new folders?</source>
        <translation>Das neue Modell für neue Ordner verwenden?</translation>
    </message>
    <message>
        <source>It has learned from the photos you checked, and nothing uses it yet.</source>
        <translation>Es hat aus den Fotos gelernt, die Sie geprüft haben, und noch verwendet es nichts.</translation>
    </message>
    <message>
        <source>&amp;Use for new folders</source>
        <translation>Für neue Ordner &amp;verwenden</translation>
    </message>
    <message>
        <source>&amp;Throw away</source>
        <translation>&amp;Wegwerfen</translation>
    </message>
</context>
<context>
    <name>photo_menu</name>
    <message>
        <source>Mark as {label}</source>
        <translation>Als {label} markieren</translation>
    </message>
</context>
<context>
    <name>sections</name>
    <message>
        <source>Least certain</source>
        <translation>Am unsichersten</translation>
    </message>
    <message>
        <source>Fairly certain</source>
        <translation>Ziemlich sicher</translation>
    </message>
    <message>
        <source>Certain</source>
        <translation>Sicher</translation>
    </message>
    <message>
        <source>Couldn&apos;t be read</source>
        <translation>Nicht lesbar</translation>
    </message>
</context>
<context>
    <name>words</name>
    <message>
        <source>Not sorted</source>
        <translation>Nicht sortiert</translation>
    </message>
    <message>
        <source>That did not work. Nothing on disk is lost.</source>
        <translation>Das ging nicht. Auf der Festplatte ist nichts verloren.</translation>
    </message>
    <message>
        <source>&amp;Continue</source>
        <translation>&amp;Fortfahren</translation>
    </message>
    <message>
        <source>Choose another &amp;folder...</source>
        <translation>Einen anderen &amp;Ordner wählen...</translation>
    </message>
    <message>
        <source>&amp;Use a folder “sorted” in it</source>
        <translation>Einen Ordner „sorted“ darin &amp;verwenden</translation>
    </message>
    <message>
        <source>&amp;Undo those and sort again</source>
        <translation>Jene &amp;rückgängig machen und neu sortieren</translation>
    </message>
    <message>
        <source>&amp;Sort it now</source>
        <translation>Jetzt &amp;sortieren</translation>
    </message>
    <message>
        <source>Choose another &amp;model...</source>
        <translation>Ein anderes &amp;Modell wählen...</translation>
    </message>
    <message>
        <source>The file is empty</source>
        <translation>Die Datei ist leer</translation>
    </message>
    <message>
        <source>Named like a photo but isn&apos;t a picture</source>
        <translation>Heißt wie ein Foto, ist aber kein Bild</translation>
    </message>
    <message>
        <source>The file is incomplete</source>
        <translation>Die Datei ist unvollständig</translation>
    </message>
    <message>
        <source>The file is damaged</source>
        <translation>Die Datei ist beschädigt</translation>
    </message>
    <message>
        <source>This kind of file can&apos;t be opened here: {why}</source>
        <translation>Diese Art Datei lässt sich hier nicht öffnen: {why}</translation>
    </message>
    <message>
        <source>The photo is too large to open</source>
        <translation>Das Foto ist zu groß zum Öffnen</translation>
    </message>
    <message>
        <source>The file may not be read</source>
        <translation>Die Datei darf nicht gelesen werden</translation>
    </message>
    <message>
        <source>The file is gone (drive unplugged?)</source>
        <translation>Die Datei ist weg (Laufwerk abgezogen?)</translation>
    </message>
    <message>
        <source>The file could not be opened safely</source>
        <translation>Die Datei ließ sich nicht sicher öffnen</translation>
    </message>
    <message>
        <source>Opening the file took too long</source>
        <translation>Das Öffnen der Datei dauerte zu lange</translation>
    </message>
    <message>
        <source>There is too little memory to open the photo</source>
        <translation>Der Speicher reicht nicht, um das Foto zu öffnen</translation>
    </message>
    <message>
        <source>Not a photo</source>
        <translation>Kein Foto</translation>
    </message>
    <message>
        <source>A hidden file</source>
        <translation>Eine versteckte Datei</translation>
    </message>
    <message>
        <source>A shortcut to another folder</source>
        <translation>Ein Verweis auf einen anderen Ordner</translation>
    </message>
    <message>
        <source>A folder that leads back to itself</source>
        <translation>Ein Ordner, der zu sich selbst zurückführt</translation>
    </message>
    <message>
        <source>broken</source>
        <translation>defekt</translation>
    </message>
    <message>
        <source>that may not be read</source>
        <translation>nicht zum Lesen freigegeben</translation>
    </message>
    <message>
        <source>left over by other programs</source>
        <translation>von anderen Programmen übrig</translation>
    </message>
    <message>
        <source>that can&apos;t be opened here</source>
        <translation>hier nicht zu öffnen</translation>
    </message>
    <message>
        <source>slightly damaged</source>
        <translation>leicht beschädigt</translation>
    </message>
    <message>
        <source>with the wrong ending</source>
        <translation>mit falscher Endung</translation>
    </message>
    <message>
        <source>in several classes</source>
        <translation>in mehreren Klassen</translation>
    </message>
    <message>
        <source>identical</source>
        <translation>identisch</translation>
    </message>
    <message>
        <source>similar</source>
        <translation>ähnlich</translation>
    </message>
    <message>
        <source>of the same scene</source>
        <translation>von derselben Szene</translation>
    </message>
    <message>
        <source>blurry or dark</source>
        <translation>unscharf oder dunkel</translation>
    </message>
    <message>
        <source>Reading photos</source>
        <translation>Fotos werden gelesen</translation>
    </message>
    <message>
        <source>Learning what is in the photos</source>
        <translation>Lernt, was auf den Fotos ist</translation>
    </message>
    <message>
        <source>Learning the classes</source>
        <translation>Lernt die Klassen</translation>
    </message>
    <message>
        <source>Checking and saving the model</source>
        <translation>Das Modell wird geprüft und gespeichert</translation>
    </message>
    <message>
        <source>Comparing the new model with the old one</source>
        <translation>Das neue Modell wird mit dem alten verglichen</translation>
    </message>
    <message>
        <source>Sorting</source>
        <translation>Sortieren</translation>
    </message>
    <message>
        <source>Moving photos</source>
        <translation>Fotos werden verschoben</translation>
    </message>
    <message>
        <source>Moving photos back</source>
        <translation>Fotos werden zurückverschoben</translation>
    </message>
    <message>
        <source>Copying photos</source>
        <translation>Fotos werden kopiert</translation>
    </message>
    <message>
        <source>Reading every file</source>
        <translation>Jede Datei wird gelesen</translation>
    </message>
    <message>
        <source>Setting files aside</source>
        <translation>Dateien werden beiseitegelegt</translation>
    </message>
    <message>
        <source>{out} wasn&apos;t sorted by Sorter. Sort it first.</source>
        <translation>{out} wurde nicht von Sorter sortiert. Sortieren Sie den Ordner zuerst.</translation>
    </message>
    <message>
        <source>No photos were sorted into {out}. Sort some first.</source>
        <translation>In {out} wurden keine Fotos sortiert. Sortieren Sie zuerst welche.</translation>
    </message>
    <message>
        <source>{out} holds results of another model, “{old}”. Undo those and sort again. Or choose another folder under “Save to”.</source>
        <translation>In {out} liegen Ergebnisse eines anderen Modells, „{old}“. Machen Sie jene rückgängig und sortieren Sie neu. Oder wählen Sie unter „Speichern in“ einen anderen Ordner.</translation>
    </message>
    <message>
        <source>{out} was sorted in another way. Choose the same as then, or undo that and sort again.</source>
        <translation>{out} wurde auf andere Art sortiert. Wählen Sie dieselbe wie damals, oder machen Sie das rückgängig und sortieren Sie neu.</translation>
    </message>
    <message>
        <source>Sorted photos can&apos;t go into the photo folder itself. Choose another folder under “Save to”.</source>
        <translation>Sortierte Fotos können nicht in den Fotoordner selbst. Wählen Sie unter „Speichern in“ einen anderen Ordner.</translation>
    </message>
    <message>
        <source>The photos in {photos} lie inside the folder to save to. Choose another folder under “Save to”.</source>
        <translation>Die Fotos in {photos} liegen in dem Ordner, in den gespeichert wird. Wählen Sie unter „Speichern in“ einen anderen Ordner.</translation>
    </message>
    <message>
        <source>These photos were not touched, so there is nothing to move. Export copies them.</source>
        <translation>Diese Fotos wurden nicht angerührt, es gibt also nichts zu verschieben. Exportieren kopiert sie.</translation>
    </message>
    <message>
        <source>The disk is full. Free some space, then press the same button again. What is done stays done.</source>
        <translation>Die Festplatte ist voll. Schaffen Sie Platz, und drücken Sie denselben Knopf noch einmal. Was getan ist, bleibt getan.</translation>
    </message>
    <message>
        <source>{folder} is not there any more. Connect the drive, then press Continue.</source>
        <translation>{folder} ist nicht mehr da. Verbinden Sie das Laufwerk, und drücken Sie dann „Fortfahren“.</translation>
    </message>
    <message>
        <source>{folder} isn&apos;t a model. Choose a folder that holds one.</source>
        <translation>{folder} ist kein Modell. Wählen Sie einen Ordner, in dem eines liegt.</translation>
    </message>
    <message>
        <source>This model is damaged. Copy it again, or choose another model.</source>
        <translation>Dieses Modell ist beschädigt. Kopieren Sie es noch einmal, oder wählen Sie ein anderes.</translation>
    </message>
    <message>
        <source>{path} was made by a newer version of Sorter. Install that version.</source>
        <translation>{path} stammt von einer neueren Version von Sorter. Installieren Sie diese Version.</translation>
    </message>
    <message>
        <source>Sorter&apos;s notes in this folder are damaged. Choose another folder. Its photos are safe.</source>
        <translation>Die Notizen von Sorter in diesem Ordner sind beschädigt. Wählen Sie einen anderen Ordner. Die Fotos darin sind sicher.</translation>
    </message>
    <message>
        <source>“{name}” has only {count} photos to learn from, and needs {least}. Check more of them first.</source>
        <translation>„{name}“ hat nur {count} Fotos zum Lernen und braucht {least}. Prüfen Sie zuerst mehr davon.</translation>
    </message>
    <message>
        <source>{photo} is an example of “{one}” and of “{other}”. Remove it from one of them.</source>
        <translation>{photo} ist ein Beispiel für „{one}“ und für „{other}“. Entfernen Sie es bei einer der beiden.</translation>
    </message>
    <message>
        <source>The photos of “{name}” look too much alike. Add other photos of it.</source>
        <translation>Die Fotos von „{name}“ sehen sich zu ähnlich. Fügen Sie andere Fotos hinzu.</translation>
    </message>
    <message>
        <source>“{name}” has too few photos that can be read. Add other photos of it.</source>
        <translation>„{name}“ hat zu wenige lesbare Fotos. Fügen Sie andere Fotos hinzu.</translation>
    </message>
    <message>
        <source>{target} isn&apos;t empty. Choose an empty folder.</source>
        <translation>{target} ist nicht leer. Wählen Sie einen leeren Ordner.</translation>
    </message>
    <message>
        <source>A part of Sorter that this needs is not installed. Ask whoever installed Sorter to add it.</source>
        <translation>Ein Teil von Sorter, den es dafür braucht, ist nicht installiert. Bitten Sie, wer Sorter installiert hat, ihn hinzuzufügen.</translation>
    </message>
    <message>
        <source>The work ended in the middle. Nothing on disk is lost. Press the same button again.</source>
        <translation>Die Arbeit brach mittendrin ab. Auf der Festplatte ist nichts verloren. Drücken Sie denselben Knopf noch einmal.</translation>
    </message>
    <message>
        <source>Left where it is: {path} ({why})</source>
        <translation>Geblieben, wo es ist: {path} ({why})</translation>
    </message>
    <message>
        <source>{n} photos look like photos of another class.</source>
        <translation>{n} Fotos sehen aus wie Fotos einer anderen Klasse.</translation>
    </message>
    <message>
        <source>Getting ready: finding the fastest way on this computer (once)</source>
        <translation>Vorbereitung: der schnellste Weg auf diesem Rechner wird gesucht (einmalig)</translation>
    </message>
    <message>
        <source>Getting ready: the usual way works</source>
        <translation>Vorbereitung: der übliche Weg geht</translation>
    </message>
</context>
</TS>
