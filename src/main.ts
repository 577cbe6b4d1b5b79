console.log('carpool');
